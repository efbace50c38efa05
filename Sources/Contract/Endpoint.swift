public import HTTPTypes
public import MartletCore

/// One thing a service can be asked: route, decoding, validation, permission, OpenAPI operation and typed call, declared once.
///
/// ```swift
/// let save = Endpoint<NewBookmark, Bookmark>.post("/api/v1/bookmarks", "Save a link",
///     allow: .permission("bookmarks:write"), returns: .created, limit: .writes)
/// ```
/// Each field of `Input` travels in the path when the template names it, else in the query (GET, DELETE, or named by the template's
/// `{?…}`), else in the JSON body. `Output` is JSON, or ``NoContent``, or a ``Document``,
/// or an ``EventStream``.
public struct Endpoint<Input: Sendable, Output: Sendable>: Sendable {
    public var operation: APIOperation
    /// How the input travels.
    public let input: InputCodec<Input>
    /// How the answer travels.
    public let output: OutputCodec<Output>
}

/// What is known of an endpoint without knowing its types.
public struct APIOperation: Sendable {
    public let method: HTTPRequest.Method
    public let path: PathTemplate
    /// One line, without a full stop: what the caller gets done.
    public let summary: String
    /// More, in Markdown; may be empty.
    public let details: String
    public let access: Access
    /// How long ago callers may have proven who they are, at most; `nil` when a valid token is enough. See ``Access``.
    public let recent: Duration?
    public let success: Success
    public let limit: LimitClass
    /// How many calls one call counts as.
    public let weight: Int
    /// How long answers are kept, and for whom; `nil` when each is made anew.
    public let cache: CachePolicy?
    /// Whether a repeated call has no further effect: by its method, or else with the same `Idempotency-Key`.
    public let isIdempotent: Bool
    public let body: BodyRule
    public let fields: [InputField]
    public let answer: AnswerShape
    /// What 202 is answered with, where an answer may take longer.
    public let promise: AnswerShape?
    /// The failures that are the endpoint's own, beyond those that every endpoint has.
    public let failures: [Failure.Kind]

    public init(
        method: HTTPRequest.Method, path: PathTemplate, summary: String, details: String, access: Access, recent: Duration? = nil,
        success: Success, limit: LimitClass, weight: Int = 1, cache: CachePolicy? = nil,
        isIdempotent: Bool, body: BodyRule, fields: [InputField], answer: AnswerShape, promise: AnswerShape? = nil,
        failures: [Failure.Kind]
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.details = details
        precondition(recent == nil || access != .anyone, "\(path) is open to anyone: nobody has proven anything.")
        self.access = access
        self.recent = recent
        self.success = success
        self.limit = limit
        self.weight = weight
        self.cache = cache
        self.isIdempotent = isIdempotent
        self.body = body
        self.fields = fields
        self.answer = answer
        self.promise = promise
        self.failures = failures
    }

    /// The same operation under another path.
    package func at(_ path: PathTemplate) -> APIOperation {
        APIOperation(
            method: method, path: path, summary: summary, details: details, access: access, recent: recent, success: success, limit: limit,
            weight: weight, cache: cache, isIdempotent: isIdempotent, body: body, fields: fields, answer: answer, promise: promise,
            failures: failures)
    }
}

/// The status of an answer that is a success.
public enum Success: Int, Sendable {
    case ok = 200
    case created = 201
    case accepted = 202
    case noContent = 204

    public var status: HTTPResponse.Status {
        switch self {
        case .ok: .ok
        case .created: .created
        case .accepted: .accepted
        case .noContent: .noContent
        }
    }
}

/// Who may call.
///
/// An operation that says `recent:` beside it also wants to know that it is still them: within that time they must have proven it by a second
/// factor, or by the password where their account has no other. Who has not hears 403, `step_up_required`, and calls
/// `POST /api/v1/auth/step-up` (the purpose of RFC 9470, with a Problem for the challenge).
public enum Access: Sendable, Hashable {
    /// Anyone, signed in or not.
    case anyone
    /// Whoever is signed in, be it by an API key.
    case signedIn
    /// Whoever is signed in by a token, not by an API key: for what people do, and programs in their place may not. Who comes with a key hears
    /// 403, `login_required`.
    case loggedIn
    /// Callers whose token carries the permission.
    case permission(Permission)
}

/// What kind of work a call is, for the rate limits.
public enum LimitClass: String, Sendable {
    case none, reads, writes, login, costly
}

/// What an endpoint accepts as a body.
public struct BodyRule: Sendable {
    /// Media types; empty when the endpoint takes no body.
    public var accepts: [String]
    /// The most bytes it reads; `nil` for the server's general bound.
    public var maximumBytes: Int?

    public static let none = BodyRule(accepts: [])
    public static let json = BodyRule(accepts: ["application/json"])
    /// Bytes for the handler to read itself, as an ``Upload``.
    public static func upload(_ accepts: String..., upTo bytes: Int) -> BodyRule { BodyRule(accepts: accepts, maximumBytes: bytes) }
}

/// A field of an endpoint's input, and where it travels.
public struct InputField: Sendable {
    public enum Location: String, Sendable { case path, query, body }
    public let location: Location
    public let field: Schema.Field
}

/// What an endpoint's success looks like.
public enum AnswerShape: Sendable {
    case json(Schema, example: JSON)
    case empty
    case document(String)
    /// Events, each with data of this shape.
    case events(Schema, example: JSON)
}

// MARK: Declaring

// The parameters are those of ``APIOperation``. All of these trap when the path names a field that the input does not have: a mistake in
// the declaration, found by whatever first touches it.
extension Endpoint where Input: Codable, Output: Codable {
    /// Reads something; safe to repeat. All fields that the path does not name travel in the query.
    public static func get(
        _ path: String, _ summary: String, details: String = "", allow: Access, recent: Duration? = nil, limit: LimitClass = .reads,
        weight: Int = 1, cache: CachePolicy? = nil, failures: [Failure.Kind] = []
    ) -> Endpoint {
        .json(.get, path, summary, details, allow, recent, .ok, limit, true, failures, weight: weight, cache: cache)
    }

    /// Makes something, or does something that no other method says. Safe to repeat only where `idempotent` says so, with the same key.
    public static func post(
        _ path: String, _ summary: String, details: String = "", allow: Access, recent: Duration? = nil, returns: Success = .ok,
        limit: LimitClass = .writes, weight: Int = 1, idempotent: Bool = false, failures: [Failure.Kind] = []
    ) -> Endpoint {
        .json(.post, path, summary, details, allow, recent, returns, limit, idempotent, failures, weight: weight)
    }

    /// Changes what it names of something; absent fields stay, see ``Change``. Safe to repeat only where `idempotent` says so.
    public static func patch(
        _ path: String, _ summary: String, details: String = "", allow: Access, recent: Duration? = nil, limit: LimitClass = .writes,
        idempotent: Bool = false, failures: [Failure.Kind] = []
    ) -> Endpoint {
        .json(.patch, path, summary, details, allow, recent, .ok, limit, idempotent, failures)
    }

    /// Replaces something whole; safe to repeat.
    public static func put(
        _ path: String, _ summary: String, details: String = "", allow: Access, recent: Duration? = nil, limit: LimitClass = .writes,
        failures: [Failure.Kind] = []
    ) -> Endpoint {
        .json(.put, path, summary, details, allow, recent, .ok, limit, true, failures)
    }

    /// Removes something; safe to repeat, though a repetition may hear 404. Answers 204 when there is nothing to say.
    ///
    /// - Parameter inBody: Whether the fields that the path does not name travel in the JSON body, as secrets must, and not in the query.
    public static func delete(
        _ path: String, _ summary: String, details: String = "", allow: Access, recent: Duration? = nil, limit: LimitClass = .writes,
        inBody: Bool = false, failures: [Failure.Kind] = []
    ) -> Endpoint {
        .json(
            .delete, path, summary, details, allow, recent, Output.self == NoContent.self ? .noContent : .ok, limit, true, failures,
            inBody: inBody)
    }

    private static func json(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, _ details: String, _ access: Access, _ recent: Duration?,
        _ success: Success, _ limit: LimitClass, _ isIdempotent: Bool, _ failures: [Failure.Kind], weight: Int = 1,
        cache: CachePolicy? = nil, inBody: Bool = false
    ) -> Endpoint {
        let path = PathTemplate(path)
        let fields = InputField.all(of: Schema.recorded(of: Input.self).schema, method: method, path: path, inBody: inBody)
        let operation = APIOperation(
            method: method, path: path, summary: summary, details: details, access: access, recent: recent, success: success,
            limit: limit, weight: weight, cache: cache, isIdempotent: isIdempotent,
            body: fields.contains { $0.location == .body } ? .json : .none, fields: fields,
            answer: .describing(Output.self),
            failures: failures)
        return Endpoint(operation: operation, input: .json(fields), output: .json())
    }
}

extension Endpoint where Input == Upload, Output: Codable {
    /// Takes bytes that are not our JSON.
    public static func upload(
        _ path: String, _ summary: String, details: String = "", allow: Access, body: BodyRule, returns: Success = .ok,
        limit: LimitClass = .writes, idempotent: Bool = false, failures: [Failure.Kind] = []
    ) -> Endpoint {
        let operation = APIOperation(
            method: .post, path: PathTemplate(path), summary: summary, details: details, access: allow, success: returns, limit: limit,
            isIdempotent: idempotent, body: body, fields: [], answer: .describing(Output.self), failures: failures)
        return Endpoint(operation: operation, input: .upload, output: .json())
    }
}

extension Endpoint where Input: Codable, Output == Document {
    /// Answers with a document, sent while it is made.
    public static func download(
        _ path: String, _ summary: String, details: String = "", allow: Access, mediaType: String, limit: LimitClass = .costly,
        failures: [Failure.Kind] = []
    ) -> Endpoint {
        let template = PathTemplate(path)
        let fields = InputField.all(of: Schema.recorded(of: Input.self).schema, method: .get, path: template)
        let operation = APIOperation(
            method: .get, path: template, summary: summary, details: details, access: allow, success: .ok, limit: limit,
            isIdempotent: true, body: .none, fields: fields, answer: .document(mediaType), failures: failures)
        return Endpoint(operation: operation, input: .json(fields), output: .document)
    }
}

extension InputField {
    static func all(of schema: Schema, method: HTTPRequest.Method, path: PathTemplate, inBody: Bool = false) -> [InputField] {
        let inBody = inBody || method.carriesFieldsInBody
        let fields = schema.fields.map { field in
            InputField(location: location(of: field.name, path: path, inBody: inBody), field: field)
        }
        for name in path.parameterNames + path.queryNames {
            precondition(
                fields.contains { $0.field.name == name && $0.location != .body },
                "\(path) names {\(name)}, but the input has no such field.")
        }
        return fields
    }

    private static func location(of name: String, path: PathTemplate, inBody: Bool) -> Location {
        if path.parameterNames.contains(name) { return .path }
        return !inBody || path.queryNames.contains(name) ? .query : .body
    }
}

extension APIOperation {
    /// Whether calls may carry an `Idempotency-Key`: those of a method that promises nothing itself and yet are declared `idempotent`.
    public var takesIdempotencyKey: Bool { isIdempotent && (method == .post || method == .patch) }

    /// Whether its answer goes on for as long as there is something to tell.
    public var isEventStream: Bool {
        if case .events = answer { true } else { false }
    }
}

extension AnswerShape {
    static func describing<Output: Codable>(_ type: Output.Type) -> AnswerShape {
        if type == NoContent.self { return .empty }
        let recorded = Schema.recorded(of: type)
        let example = (try? WireJSON.encode(recorded.example)).flatMap { try? WireJSON.parse($0) }
        return .json(recorded.schema, example: example ?? .null)
    }
}

extension HTTPRequest.Method {
    var carriesFieldsInBody: Bool { self == .post || self == .put || self == .patch }
}
