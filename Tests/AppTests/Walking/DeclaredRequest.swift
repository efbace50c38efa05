import HTTPTypes
import MartletApp
import MartletContract
import MartletCore
import MartletTestKit
import NIOHTTP1
import Testing

/// A request made of nothing but an operation's declaration: valid as it is, to be spoiled one part at a time.
struct DeclaredRequest {
    let operation: APIOperation
    var path: [String: String]
    var query: [(name: String, value: String)]
    var contentType: String?
    var body: [UInt8]?

    init(_ operation: APIOperation) throws {
        let example = operation.example
        self.operation = operation
        path = Dictionary(example.path.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        query = example.query
        contentType = operation.body.accepts.first
        body = try operation.body.accepts.isEmpty ? nil : example.body.map { try WireJSON.encode($0) } ?? Array("[]".utf8)
    }

    func send(to app: TestApp, token: String? = nil, headers: [(String, String)] = []) async throws -> RawAnswer {
        let type = contentType.map { [("Content-Type", $0)] } ?? []
        return try await app.raw(operation.httpMethod, try target, token: token, headers: type + headers, body: body)
    }

    /// Path and query, as on the request line.
    var target: String {
        get throws {
            let path = try #require(operation.path.expanded(with: path))
            let pairs = query.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
            return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
        }
    }
}

extension DeclaredRequest {
    func with(body: [UInt8]?) -> DeclaredRequest { changed { $0.body = body } }
    func with(contentType: String?) -> DeclaredRequest { changed { $0.contentType = contentType } }
    func with(path name: String, _ value: String) -> DeclaredRequest { changed { $0.path[name] = value } }

    /// With one query parameter added, replaced, or (`nil`) left out.
    func with(query name: String, _ value: String?) -> DeclaredRequest {
        changed { request in
            request.query.removeAll { $0.name == name }
            if let value { request.query.append((name, value)) }
        }
    }

    func changed(_ change: (inout DeclaredRequest) -> Void) -> DeclaredRequest {
        var copy = self
        change(&copy)
        return copy
    }
}

extension APIOperation {
    var httpMethod: HTTPMethod { HTTPMethod(rawValue: method.rawValue) }
    var takesJSON: Bool { !body.accepts.isEmpty && body.maximumBytes == nil }

    func fields(_ location: InputField.Location) -> [Schema.Field] {
        fields.filter { $0.location == location }.map(\.field)
    }
}

/// Expects 422 with a fault at exactly this place.
func expectFault(_ fault: ExpectedFault, in answer: RawAnswer, of operation: String, at location: SourceLocation = #_sourceLocation) throws
{
    let what = Comment(rawValue: "\(operation), \(fault.pointer) \(fault.code): \(answer.text.prefix(500))")
    guard answer.status == 422 else {
        Issue.record("Status \(answer.status), not 422. \(what)", sourceLocation: location)
        return
    }
    let faults = try answer.problem().errors ?? []
    #expect(faults.contains { $0.pointer == fault.pointer && $0.code == fault.code }, what, sourceLocation: location)
}

struct ExpectedFault {
    let pointer: String
    let code: String
}
