import AsyncHTTPClient
import MartletContract
import NIOCore
import NIOHTTP1
import NIOPosix

/// How often, and after which pauses, a call with an `Idempotency-Key` is sent again.
///
/// Repeated are calls whose connection was lost, or was not made; those that are told that another one with their key is under way (409); and
/// 502, 503, 504. Four attempts in all, after pauses of at least what `Retry-After` asks for: more than half a minute is not waited for.
struct Repetitions {
    static let most = 3
    static let longestPause = Duration.seconds(30)
    private var count = 0

    /// How long to wait before the call is sent again; `nil` when it is not.
    mutating func pause(after error: any Error) -> Duration? {
        guard count < Self.most, Self.mayHelp(after: error) else { return nil }
        count += 1
        let wanted = (error as? Refusal)?.retryAfter ?? .zero
        guard wanted <= Self.longestPause else { return nil }
        // Those who were refused together come back apart.
        return wanted + .milliseconds(100 << count) * Double.random(in: 0.5...1)
    }

    private static func mayHelp(after error: any Error) -> Bool {
        switch error {
        case let refusal as Refusal: refusal.isPassing
        case is NIOConnectionError, is IOError, is ChannelError: true
        case let error as HTTPClientError: [.remoteConnectionClosed, .connectTimeout].contains(error)
        default: false
        }
    }
}

/// An answer that is a failure, and what is thrown for it.
struct Refusal: Error {
    let error: any Error
    private let status: UInt
    private let seconds: Int

    init(_ response: HTTPClientResponse, _ error: any Error) {
        (self.error, status) = (error, response.status.code)
        seconds = response.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0
    }

    var retryAfter: Duration { .seconds(max(0, seconds)) }

    /// Whether the same request may be answered otherwise in a moment.
    var isPassing: Bool {
        (502...504).contains(status) || (error as? Problem)?.code == "idempotency_key_in_use"
    }
}

extension MartletClient {
    /// Makes a call, again and again if it has a key and that may help. Throws what the last attempt did.
    func repeating<Result: Sendable>(_ key: String?, _ call: () async throws -> Result) async throws -> Result {
        var repetitions = Repetitions()
        while true {
            do {
                return try await call()
            } catch {
                guard key != nil, let pause = repetitions.pause(after: error) else { throw (error as? Refusal)?.error ?? error }
                try await self.pause(pause)
            }
        }
    }
}
