import AsyncHTTPClient
import MartletContract
import NIOCore
import NIOHTTP1

/// A collector that takes OTLP over HTTP.
struct Collector: Sendable {
    private let http: HTTPClient
    private let url: String
    private let fields: HTTPHeaders

    private static let timeout = TimeAmount.seconds(10)
    /// Answers are a few words.
    private static let longestAnswer = 64 << 10
    /// https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
    private static let retryable: Set<UInt> = [429, 502, 503, 504]

    init(_ url: String, _ fields: [(name: String, value: String)]) {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        // What is said of traces makes no traces.
        configuration.tracing.tracer = nil
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.url = url
        self.fields = HTTPHeaders(fields.map { ($0.name, $0.value) } + [("Content-Type", "application/json")])
    }

    func close() async {
        // It fails only when it was done before.
        try? await http.shutdown()
    }

    /// Sends a document. What went wrong is told by its kind alone: an address may hold a password.
    func take(_ document: JSON) async -> ExportQueue.Outcome {
        do {
            var request = HTTPClientRequest(url: url)
            (request.method, request.headers) = (.POST, fields)
            request.body = .bytes(try WireJSON.encode(document))
            let response = try await http.execute(request, timeout: Self.timeout)
            let answer = try await response.body.collect(upTo: Self.longestAnswer)
            return Self.outcome(response.status.code, response.headers, Array(answer.readableBytesView))
        } catch let error as HTTPClientError {
            return .away(error.shortDescription, retryAfter: nil)
        } catch {
            return .away("\(type(of: error))", retryAfter: nil)
        }
    }

    static func outcome(_ status: UInt, _ fields: HTTPHeaders, _ answer: [UInt8]) -> ExportQueue.Outcome {
        if (200..<300).contains(status) { return .taken(rejected: rejected(answer)) }
        guard retryable.contains(status) else { return .refused("status \(status)") }
        let seconds = fields.first(name: "Retry-After").flatMap { Int64($0) }
        return .away("status \(status)", retryAfter: seconds.map { .seconds(min(max(0, $0), 3_600)) })
    }

    /// How many spans a partial success leaves out (https://opentelemetry.io/docs/specs/otlp/#partial-success-1). An answer that is no JSON
    /// says that all were taken.
    private static func rejected(_ answer: [UInt8]) -> Int {
        guard !answer.isEmpty, let document = try? WireJSON.parse(answer) else { return 0 }
        let count = document["partialSuccess"]?["rejectedSpans"]
        return count?.integer ?? count?.text.flatMap { Int($0) } ?? 0
    }
}
