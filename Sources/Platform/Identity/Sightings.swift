import Foundation
import HTTPTypes
import Logging
import MartletCore
import MartletHTTP
import MartletStorage
public import ServiceLifecycle
import Synchronization

/// When sessions were last used: noted in memory with each request, and written once a minute.
///
/// So a session costs a write a minute at most on each instance, however much it is used. Moments are kept to the minute, so that one statement
/// writes those of many sessions. What was noted within the last minute is lost when the process is killed.
public final class Sightings: ServiceLifecycle.Service {
    /// More sessions than this within a minute are noted in the next.
    static let most = 100_000
    private static let batch = 500

    private let database: any Database
    private let logger: Logger
    /// The minute since 1970 in which each was last seen.
    private let seen = Mutex<[Identifier<LoginSession>: Int]>([:])

    init(_ database: any Database, logger: Logger) {
        (self.database, self.logger) = (database, logger)
    }

    /// Writes what was noted, until it is told to stop; then once more.
    public func run() async {
        await cancelWhenGracefulShutdown { [self] in
            // The sleep ends early when the server stops: that is no failure.
            while (try? await Task.sleep(for: .seconds(60))) != nil { await flush() }
        }
        await Task { await flush() }.value
    }

    func note(_ session: Identifier<LoginSession>, at moment: Date) {
        let minute = Int(moment.timeIntervalSince1970 / 60)
        seen.withLock { seen in
            if seen.count < Self.most || seen[session] != nil { seen[session] = minute }
        }
    }

    /// Writes what was noted since the last time. What an outage keeps from being written is forgotten: whoever goes on is seen again.
    func flush() async {
        let noted = seen.withLock { seen in
            defer { seen = [:] }
            return seen
        }
        do {
            for (minute, sessions) in Dictionary(grouping: noted.keys, by: { noted[$0] ?? 0 }) {
                try await write(sessions[...], at: Date(timeIntervalSince1970: Double(minute) * 60))
            }
        } catch {
            logger.warning("It could not be noted when sessions were last used", error: error)
        }
    }

    private func write(_ sessions: ArraySlice<Identifier<LoginSession>>, at moment: Date) async throws {
        var rest = sessions
        while !rest.isEmpty {
            try await SessionStore(database).noteSeen(rest.prefix(Self.batch), at: moment)
            rest = rest.dropFirst(Self.batch)
        }
    }
}

/// Tells who calls, and notes that their session is used.
struct SeeingSessions: Authenticator {
    private let inner: AccessTokens
    private let sightings: Sightings
    private let clock: WallClock

    init(_ inner: AccessTokens, _ sightings: Sightings, _ clock: WallClock) {
        (self.inner, self.sightings, self.clock) = (inner, sightings, clock)
    }

    func caller(of request: HTTPRequest) async throws -> Caller? {
        let caller = try await inner.caller(of: request)
        if let session = caller?.session { sightings.note(session, at: clock.now) }
        return caller
    }
}
