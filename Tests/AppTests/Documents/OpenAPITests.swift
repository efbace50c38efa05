import HTTPTypes
import MartletContract
import MartletHTTP
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletApp

@Suite("The OpenAPI document", .everyDatabase)
struct OpenAPIDocument {
    @Test func isTheCommittedOne() throws {
        let committed = try Checkout.text("docs/openapi.json")
        #expect(committed == App.openAPI, "Run `make openapi`: docs/openapi.json differs from what the endpoints declare.")
    }

    @Test func isServed() async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /openapi.json")
            #expect(answer["Content-Type"] == "application/json")
            #expect(String(decoding: answer.body, as: UTF8.self) == App.openAPI)
        }
    }

    @Test func listsExactlyTheDeclaredOperations() throws {
        #expect(try Self.listed() == Set(App.operations.map(\.line)))
    }

    @Test func namesEachOperationOnce() throws {
        #expect(Set(App.operations.map(\.identifier)).count == App.operations.count)
        #expect(Set(App.operations.map(\.line)).count == App.operations.count)
    }

    @Test func tellsTheFieldsOfEachInputWithTheirBounds() throws {
        let document = try WireJSON.parse(App.openAPI.utf8)
        for named in App.operations {
            let operation = try #require(document["paths"]?[named.operation.path.path]?[named.operation.method.rawValue.lowercased()])
            let schema = operation["requestBody"]?["content"]?["application/json"]?["schema"]
            if named.operation.takesJSON {
                #expect(schema?["additionalProperties"] == .bool(false), "\(named.identifier)")
            }
            for field in named.operation.fields(.body) {
                let property = try #require(schema?["properties"]?[field.name], "\(named.identifier) \(field.name)")
                if case .string(let rule) = field.schema.shape, rule.length.upperBound < .max {
                    #expect(property["maxLength"]?.integer == rule.length.upperBound, "\(named.identifier) \(field.name)")
                }
            }
            let parameters = Set(named.operation.fields.filter { $0.location != .body }.map(\.field.name))
            let headers: Set<String> =
                named.operation.isEventStream ? ["Last-Event-ID"] : named.operation.takesIdempotencyKey ? ["Idempotency-Key"] : []
            let shown = Set(operation["parameters"]?.elements.compactMap { $0["name"]?.text } ?? [])
            #expect(shown == parameters.union(headers), "\(named.identifier)")
        }
    }

    @Test func asksForATokenWhereverOneIsNeeded() throws {
        let document = try WireJSON.parse(App.openAPI.utf8)
        for named in App.operations {
            let operation = document["paths"]?[named.operation.path.path]?[named.operation.method.rawValue.lowercased()]
            #expect((operation?["security"] != nil) == (named.operation.access != .anyone), "\(named.identifier)")
            #expect((operation?["responses"]?["401"] != nil) || named.operation.access == .anyone, "\(named.identifier)")
        }
    }

    @Test func tellsTheLimitsWhereverThereAreSome() throws {
        let document = try WireJSON.parse(App.openAPI.utf8)
        for named in App.operations {
            let answers = document["paths"]?[named.operation.path.path]?[named.operation.method.rawValue.lowercased()]?["responses"]
            let isLimited = named.operation.limit != .none
            #expect((answers?["429"]?["$ref"] == "#/components/responses/Limited") == isLimited, "\(named.identifier)")
            let success = answers?[String(named.operation.success.rawValue)]
            #expect((success?["headers"]?["RateLimit"] != nil) == isLimited, "\(named.identifier)")
        }
    }

    @Test(.enabled("The Python package openapi-spec-validator is there.") { try await PythonModule.isPresent("openapi_spec_validator") })
    func isValid() async throws {
        try await expectValid(App.openAPI)
        try await expectValid(Self.ofTestRoutes)
    }

    @Test func describesStreamsOfEvents() throws {
        let operation = try #require(try WireJSON.parse(Self.ofTestRoutes.utf8)["paths"]?["/test/events"]?["get"])
        let answers = try #require(operation["responses"])
        #expect(answers["200"]?["content"]?["text/event-stream"]?["schema"]?["$ref"] == "#/components/schemas/Count")
        #expect(answers["200"]?["content"]?["text/event-stream"]?["example"]?["number"]?.integer != nil)
        #expect(answers["204"] != nil && answers["401"] != nil && answers["422"] != nil)
        let resume = operation["parameters"]?.elements.first { $0["name"] == "Last-Event-ID" }
        #expect(resume?["in"] == "header" && resume?["required"] == .bool(false))
    }

    private static var ofTestRoutes: String {
        OpenAPI(title: "Test", version: "1", operations: TestAPI.operations).document()
    }

    private func expectValid(_ document: String) async throws {
        let script = """
            import json, sys
            from openapi_spec_validator import OpenAPIV31SpecValidator
            faults = list(OpenAPIV31SpecValidator(json.load(sys.stdin)).iter_errors())
            for fault in faults: print("/".join(map(str, fault.absolute_path)), fault.message[:300])
            sys.exit(len(faults) > 0)
            """
        let outcome = try await Program.run(["python3", "-c", script], input: document)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }

    /// `GET /health/live` and so on, read off the document.
    private static func listed() throws -> Set<String> {
        guard case .object(let paths) = try WireJSON.parse(App.openAPI.utf8)["paths"] else { return [] }
        return Set(
            paths.flatMap { path -> [String] in
                guard case .object(let methods) = path.value else { return [] }
                return methods.map { "\($0.name.uppercased()) \(path.name)" }
            })
    }
}

extension NamedOperation {
    var line: String { "\(operation.method.rawValue) \(operation.path.path)" }
}

extension JSON {
    var elements: [JSON] {
        if case .array(let elements) = self { elements } else { [] }
    }
}

enum PythonModule {
    static func isPresent(_ name: String) async throws -> Bool {
        try await Program.run(["python3", "-c", "import \(name)"]).status == 0
    }
}
