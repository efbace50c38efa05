import HTTPTypes
import MartletCache
import MartletContract
import MartletCore

/// What an endpoint's ``CachePolicy`` comes to, worked out once.
struct ResponseRule: Sendable {
    let terms: CacheTerms
    /// Whether an answer is for its caller alone.
    let isPrivate: Bool
    let varyBy: [HTTPField.Name]
    let cacheControl: HTTPField
    private let tags: [TagTemplate]

    /// `nil` for an endpoint whose answers are made anew. Traps on tags that name no parameter and on fields that have no name.
    init?(_ operation: APIOperation) {
        guard let policy = operation.cache else { return nil }
        precondition(operation.method == .get && operation.success == .ok, "\(operation.path): only what is read is kept.")
        terms = CacheTerms(ttl: .seconds(policy.seconds), stale: .seconds(policy.staleSeconds))
        isPrivate = operation.access != .anyone
        varyBy = policy.varyBy.map { name in
            guard let name = HTTPField.Name(name) else { preconditionFailure("\(operation.path): \(name) is not a field name.") }
            return name
        }
        let stale = policy.staleSeconds > 0 ? ", stale-while-revalidate=\(policy.staleSeconds)" : ""
        let value = "\(isPrivate ? "private" : "public"), max-age=\(policy.seconds)\(stale)"
        cacheControl = HTTPField(name: .cacheControl, value: value)
        tags = policy.tags.map { TagTemplate($0, operation.path.parameterNames) }
    }

    /// The policy's tags for a path's parameters.
    func tags(for parameters: [(name: String, value: String)]) -> [CacheTag] { tags.map { $0.tag(parameters) } }

    /// Names what answers a request, so that two requests of one key have one answer.
    ///
    /// A query keeps its order: that may matter. It is known by what it says, however that is escaped. A private answer belongs to a caller
    /// with the same permissions, who acts for the same organisation.
    func key(_ target: RequestTarget, _ request: HTTPRequest, _ caller: Caller?) throws(Failure) -> String {
        // The path as it was sent has no question mark, so that a query can not pass for a part of it.
        var key = "r:\(target.path)?"
        for (name, value) in try target.parameters() { key += "\(PercentEncoding.encode(name))=\(PercentEncoding.encode(value))&" }
        // No part of a request holds a line's end, so that nobody can write one key's parts into another.
        for name in varyBy { key += request.headerFields[name].map { "\n=" + $0 } ?? "\n-" }
        if isPrivate, let caller {
            key += "\n\(caller.id)\n\(caller.organisation?.description ?? "-")\n"
            key += caller.permissions.map(\.raw).sorted().joined(separator: " ")
        }
        return key
    }
}

/// A tag with places for parameters: `product:{id}`.
private struct TagTemplate: Sendable {
    private enum Part: Sendable {
        case text(String)
        case parameter(String)
    }

    private let parts: [Part]

    init(_ template: String, _ names: [String]) {
        var (parts, rest) = ([Part](), template[...])
        while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: start)..<end])
            precondition(names.contains(name), "The tag \(template) names {\(name)}, but the path has no such parameter.")
            parts += [.text(String(rest[..<start])), .parameter(name)]
            rest = rest[rest.index(after: end)...]
        }
        self.parts = parts + [.text(String(rest))]
    }

    func tag(_ parameters: [(name: String, value: String)]) -> CacheTag {
        CacheTag(
            parts.map { part in
                switch part {
                case .text(let text): text
                case .parameter(let name): parameters.first { $0.name == name }?.value ?? ""
                }
            }.joined())
    }
}
