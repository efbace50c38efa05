import HTTPTypes
public import MartletCache
import MartletContract
import MartletCore
import MartletTelemetry

/// Keeps the answers of endpoints that declare a ``CachePolicy``, as bytes that only have to be sent.
///
/// A hit comes after the caller was found to be allowed, and before anything of the request is decoded: no SQL, no JSON, no compression.
public struct ResponseCache: Sendable {
    let cache: Cache
    /// Whether answers say in `X-Cache` where they come from.
    let showsSource: Bool

    public init(_ cache: Cache, showsSource: Bool = false) { (self.cache, self.showsSource) = (cache, showsSource) }

    /// What is kept for a request; `nil` when it has to be made.
    func hit(_ key: String, _ request: HTTPRequest) -> Hit? {
        let trace = Trace.current.map { (trace: $0, start: ContinuousClock.now) }
        guard let found = cache.peek(key, as: StoredResponse.self), let response = found.form else { return nil }
        if let trace { trace.trace.add(CacheSpan(found), since: trace.start) }
        return Hit(answer: answer(response, found, to: request), isStale: found.isStale)
    }

    struct Hit {
        let answer: Answer
        let isStale: Bool
    }

    /// Has the answer made anew, unless that is being done.
    func renew(_ asked: AskedFor, _ make: @escaping @Sendable () async throws -> StoredResponse) {
        cache.renew(asked.key, tags: asked.tags, asked.terms) { try await Self.made(make) }
    }

    /// Makes the answer, and keeps it; parallel callers of one key share it.
    func answer(
        _ asked: AskedFor, to request: HTTPRequest, _ make: @escaping @Sendable () async throws -> StoredResponse
    ) async throws -> Answer {
        let found = try await cache.find(asked.key, tags: asked.tags, asked.terms) { try await Self.made(make) }
        guard let response = found.form else { throw Failure(.internal, "response_missing", "An answer was not kept.") }
        return answer(response, found, to: request)
    }

    private static func made(_ make: () async throws -> StoredResponse) async throws -> Made<StoredResponse> {
        let response = try await make()
        return Made(response, isShareable: response.unkept == nil)
    }

    private func answer(_ response: StoredResponse, _ found: Found<StoredResponse>, to request: HTTPRequest) -> Answer {
        var answer = response.answer(to: request, age: found.source == .computed ? nil : found.age)
        guard showsSource, response.unkept == nil else { return answer }
        answer.fields.append(found.source == .computed ? Self.miss : found.isStale ? Self.stale : Self.hit)
        return answer
    }

    private static let (miss, hit, stale) = (field("miss"), field("hit"), field("stale"))
    private static func field(_ value: String) -> HTTPField { HTTPField(name: .cacheSource, value: value) }
}

/// What a request asks of the response cache.
struct AskedFor: Sendable {
    let key: String
    let tags: [CacheTag]
    let terms: CacheTerms
}
