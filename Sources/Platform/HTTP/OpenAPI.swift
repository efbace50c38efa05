import HTTPTypes
public import MartletContract
import MartletCore

/// The OpenAPI 3.1 description of a set of operations, generated from their declarations.
public struct OpenAPI: Sendable {
    private let title: String
    private let version: String
    private let operations: [NamedOperation]
    private var components = Components()

    public init(title: String, version: String, operations: [NamedOperation]) {
        self.title = title
        self.version = version
        self.operations = operations
    }

    /// The document as readable JSON; the same bytes for the same declarations.
    public func document() -> String {
        var copy = self
        return copy.tree().readable + "\n"
    }

    private mutating func tree() -> JSON {
        let paths = self.paths()
        return [
            "openapi": "3.1.0",
            "info": ["title": .string(title), "version": .string(version), "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"]],
            "tags": .array(tags.map { ["name": .string($0)] }),
            "paths": paths,
            "components": [
                "securitySchemes": [
                    "bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"],
                    "apiKey": ["type": "apiKey", "in": "header", "name": "X-API-Key", "description": .string(Self.apiKeyInWords)],
                ],
                "schemas": .object(components.sorted),
                "headers": LimitDescriptions.headers,
                "responses": ["Problem": Self.problemAnswer, "Limited": LimitDescriptions.answer],
            ],
        ]
    }

    private var tags: [String] {
        var seen: Set<String> = []
        return operations.map(\.group).filter { seen.insert($0).inserted }
    }

    private mutating func paths() -> JSON {
        var paths: [JSON.Member] = []
        for named in operations {
            let member = JSON.Member(named.operation.method.rawValue.lowercased(), describe(named))
            if let index = paths.firstIndex(where: { $0.name == named.operation.path.path }), case .object(let methods) = paths[index].value
            {
                paths[index].value = .object(methods + [member])
            } else {
                paths.append(JSON.Member(named.operation.path.path, .object([member])))
            }
        }
        components.add(Schema.of(Problem.self))
        return .object(paths)
    }

    private mutating func describe(_ named: NamedOperation) -> JSON {
        let operation = named.operation
        var members: [JSON.Member] = [
            .init("operationId", .string(named.identifier)), .init("tags", [.string(named.group)]),
            .init("summary", .string(operation.summary)),
        ]
        if !operation.details.isEmpty { members.append(.init("description", .string(operation.details))) }
        if let security = operation.access.security { members += security }
        if let recent = operation.recent { members.append(.init("x-recent-authentication", .number(String(recent.components.seconds)))) }
        var parameters = operation.fields.filter { $0.location != .body }.map { parameter($0) }
        if operation.isEventStream { parameters.append(Self.lastEventID) }
        if operation.takesIdempotencyKey { parameters.append(Self.idempotencyKey) }
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let body = requestBody(operation) { members.append(.init("requestBody", body)) }
        members.append(.init("responses", answers(operation)))
        return .object(members)
    }

    private mutating func parameter(_ field: InputField) -> JSON {
        var members: [JSON.Member] = [
            .init("name", .string(field.field.name)), .init("in", .string(field.location.rawValue)),
            .init("required", .bool(field.field.isRequired)),
        ]
        if let summary = field.field.schema.summary { members.append(.init("description", .string(summary))) }
        return .object(members + [.init("schema", components.reference(field.field.schema))])
    }

    private mutating func requestBody(_ operation: APIOperation) -> JSON? {
        if operation.body.maximumBytes != nil {
            let content = operation.body.accepts.map { JSON.Member($0, ["schema": Self.upload(of: $0)]) }
            return ["required": true, "content": .object(content)]
        }
        let fields = operation.fields.filter { $0.location == .body }.map(\.field)
        guard !fields.isEmpty else { return nil }
        let schema = components.object(fields)
        return ["required": .bool(fields.contains(where: \.isRequired)), "content": ["application/json": ["schema": schema]]]
    }

    private static func upload(of type: String) -> JSON {
        switch type {
        case "application/json": ["type": "array", "items": ["type": "object"]]
        case "multipart/form-data": ["type": "object", "properties": ["file": ["type": "string", "format": "binary"]]]
        default: ["type": "string"]
        }
    }

    private mutating func answers(_ operation: APIOperation) -> JSON {
        var answers = [JSON.Member(String(operation.success.status.code), success(of: operation))]
        if let promise = operation.promise { answers.append(.init("202", described(promise, .accepted))) }
        if operation.isEventStream { answers.append(.init("204", Self.nothingMore)) }
        let failures = Set(operation.expectedFailures.map(\.status.code)).sorted()
        return .object(answers + failures.map { .init(String($0), ["$ref": .string($0 == 429 ? Self.limited : Self.problem)]) })
    }

    private mutating func success(of operation: APIOperation) -> JSON {
        let answer = described(operation.answer, operation.success)
        guard operation.limit != .none, case .object(let members) = answer else { return answer }
        return .object(members + [.init("headers", LimitDescriptions.references)])
    }

    private mutating func described(_ answer: AnswerShape, _ success: Success) -> JSON {
        let description = JSON.string(success.status.reasonPhrase)
        switch answer {
        case .empty: return ["description": description]
        case .document(let type):
            return ["description": description, "content": .object([.init(type, ["schema": ["type": "string"]])])]
        case .json(let schema, let example):
            let content: JSON = ["schema": components.reference(schema), "example": example]
            return ["description": description, "content": ["application/json": content]]
        case .events(let schema, let example):
            let content: JSON = ["schema": components.reference(schema), "example": example]
            return ["description": .string(Self.eventsInWords), "content": .object([.init(EventStreamFormat.mediaType, content)])]
        }
    }

    private static let eventsInWords =
        "Server-sent events (WHATWG HTML §9.2), as they happen. Each event's `data` is one line of JSON of this schema, its `id` "
        + "where the stream can be resumed. Lines that begin with a colon are heartbeats."
    private static let nothingMore: JSON = ["description": "There is nothing more to come: do not reconnect."]
    private static let lastEventID: JSON = [
        "name": "Last-Event-ID", "in": "header", "required": false,
        "description": "The `id` of the last event received: the stream goes on after it.", "schema": ["type": "string"],
    ]

    private static let apiKeyInWords =
        "A key of `/api/v1/auth/api-keys`, for programs. It may come as `Authorization: Bearer …`, too, and not as both unless they are the same."
    private static let problem = "#/components/responses/Problem"
    private static let limited = "#/components/responses/Limited"
    private static let idempotencyKey: JSON = [
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Unique to this request, and the same when it is sent again: it then happens once, and is answered the same.",
        "schema": ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"],
    ]

    private static let problemAnswer: JSON = [
        "description": "What went wrong (RFC 9457).",
        "content": .object([.init(Problem.mediaType, ["schema": ["$ref": "#/components/schemas/Problem"]])]),
    ]
}

extension APIOperation {
    /// Its own failures, and those its declaration implies.
    fileprivate var expectedFailures: [Failure.Kind] {
        var kinds = failures
        if access != .anyone { kinds.append(.unauthenticated) }
        if limit != .none { kinds.append(.limited) }
        if case .permission = access { kinds.append(.forbidden) }
        if access == .loggedIn { kinds.append(.forbidden) }
        if recent != nil { kinds.append(.forbidden) }
        if !body.accepts.isEmpty { kinds += [.malformed, .tooLarge, .unsupportedMedia] }
        if !fields.isEmpty || !body.accepts.isEmpty { kinds.append(.invalid) }
        if takesIdempotencyKey { kinds += [.malformed, .conflict, .invalid] }
        return kinds
    }
}

extension Access {
    fileprivate var security: [JSON.Member]? {
        switch self {
        case .anyone: nil
        case .signedIn: [.init("security", [["bearer": []], ["apiKey": []]])]
        case .loggedIn: [.init("security", [["bearer": []]])]
        // What a scheme other than OAuth's asks for is a role's name by OpenAPI 3.1 (§4.8.30): here, the permission.
        case .permission(let permission):
            [
                .init("security", [["bearer": [.string(permission.raw)]], ["apiKey": [.string(permission.raw)]]]),
                .init("x-permission", .string(permission.raw)),
            ]
        }
    }
}
