import MartletApp
import MartletContract
import MartletCore
import MartletTestKit
import NIOHTTP1
import Testing

/// Every endpoint refuses what its declaration does not allow, and names the place.
@Suite("An endpoint's input", .everyDatabase)
struct EndpointInput {
    @Test func isRefusedForEachFieldThatBreaksItsRule() async throws {
        try await forEachJSONBody { app, named, token in
            for spoiled in Schema.spoiled(named.operation.fields(.body)) {
                let request = try DeclaredRequest(named.operation).with(body: WireJSON.encode(spoiled.value))
                try expectFault(spoiled.fault, in: try await request.send(to: app, token: token), of: named.identifier)
            }
        }
    }

    @Test func isRefusedWithAllItsFaultsAtOnce() async throws {
        try await forEachJSONBody { app, named, token in
            let fields = named.operation.fields(.body)
            let members = fields.map { JSON.Member($0.name, [[]]) } + [.init("one_too_many", 1), .init("two~too/many", 2)]
            let answer = try await DeclaredRequest(named.operation).with(body: WireJSON.encode(JSON.object(members))).send(
                to: app, token: token)
            let pointers = Set(try answer.problem().errors?.map(\.pointer) ?? [])
            #expect(
                pointers.isSuperset(of: fields.filter { !$0.schema.isList }.map { "/\($0.name)" }), "\(named.identifier): \(answer.text)")
            #expect(pointers.isSuperset(of: ["/one_too_many", "/two~0too~1many"]), "\(named.identifier): \(answer.text)")
        }
    }

    @Test func isRefusedWhenItIsNotJSONOrNoObject() async throws {
        try await forEachJSONBody { app, named, token in
            let request = try DeclaredRequest(named.operation)
            for broken in ["{", "{\"a\":}", "nul", "{} {}", "{'a':1}", "[1,]", "\u{FEFF}{}", "{\"a\":01}"] {
                let answer = try await request.with(body: Array(broken.utf8)).send(to: app, token: token)
                #expect(answer.status == 400, "\(named.identifier), \(broken): \(answer.text)")
            }
            for stranger in ["[]", "\"text\"", "null", "1"] {
                let answer = try await request.with(body: Array(stranger.utf8)).send(to: app, token: token)
                try expectFault(ExpectedFault(pointer: "", code: "wrong_type"), in: answer, of: "\(named.identifier), \(stranger)")
            }
        }
    }

    @Test func isRefusedUnderAContentTypeThatTheEndpointDoesNotTake() async throws {
        try await forEachOperation { app, named, token in
            guard !named.operation.body.accepts.isEmpty else { return }
            for type in [nil, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "nonsense"] {
                let answer = try await DeclaredRequest(named.operation).with(contentType: type).send(to: app, token: token)
                #expect(answer.status == 415, "\(named.identifier), \(type ?? "none"): \(answer.text)")
            }
        }
    }

    @Test func takesJSONInUTF8Only() async throws {
        try await forEachJSONBody { app, named, token in
            let request = try DeclaredRequest(named.operation)
            let accepted = try await request.with(contentType: "Application/JSON; charset=\"UTF-8\"").send(to: app, token: token)
            #expect(accepted.status != 415, "\(named.identifier)")
            let refused = try await request.with(contentType: "application/json; charset=utf-16").send(to: app, token: token)
            #expect(refused.status == 415, "\(named.identifier)")
        }
    }

    @Test func isRefusedForAQueryParameterThatNobodyDeclared() async throws {
        try await forEachOperation { app, named, token in
            let answer = try await DeclaredRequest(named.operation).with(query: "no_such_parameter", "1").send(to: app, token: token)
            try expectFault(ExpectedFault(pointer: "no_such_parameter", code: "unknown_parameter"), in: answer, of: named.identifier)
        }
    }

    @Test func isRefusedForEachQueryParameterThatBreaksItsRule() async throws {
        try await forEachOperation { app, named, token in
            for field in named.operation.fields(.query) {
                for (text, fault) in field.spoiledParameters {
                    let answer = try await DeclaredRequest(named.operation).with(query: field.name, text).send(to: app, token: token)
                    try expectFault(fault, in: answer, of: named.identifier)
                }
            }
        }
    }

    @Test func isRefusedWhenAQueryParameterIsRepeated() async throws {
        try await forEachOperation { app, named, token in
            for parameter in named.operation.example.query {
                let request = try DeclaredRequest(named.operation).changed { $0.query.append(parameter) }
                let fault = ExpectedFault(pointer: parameter.name, code: "repeated")
                try expectFault(fault, in: try await request.send(to: app, token: token), of: named.identifier)
            }
        }
    }

    private func forEachJSONBody(_ check: (TestApp, NamedOperation, String) async throws -> Void) async throws {
        try await forEachOperation { app, named, token in
            if named.operation.takesJSON { try await check(app, named, token) }
        }
    }

    private func forEachOperation(_ check: (TestApp, NamedOperation, String) async throws -> Void) async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            for named in App.operations { try await check(app, named, token) }
        }
    }
}

extension Schema {
    /// A list of one list: its fault lies at the element.
    fileprivate var isList: Bool {
        if case .array = shape { true } else { false }
    }
}

extension Schema.Field {
    fileprivate var spoiledParameters: [(text: String?, fault: ExpectedFault)] {
        let content = schema.spoiled(at: name).compactMap { spoiled in spoiled.value.parameter.map { (Optional($0), spoiled.fault) } }
        let missing: [(String?, ExpectedFault)] = isRequired ? [(nil, ExpectedFault(pointer: name, code: "missing"))] : []
        return content + missing + wrongType.map { ($0, ExpectedFault(pointer: name, code: "wrong_type")) }
    }

    /// Texts that are no value of the parameter's type; any text is a string.
    private var wrongType: [String] {
        switch schema.shape {
        case .integer: ["abc", "1.5", "", " 1"]
        case .number: ["abc", ""]
        case .boolean: ["maybe", "1"]
        default: []
        }
    }
}
