import Foundation
import HTTPTypes
import Logging
import MartletCore
import MartletHTTP
import MartletStorage
public import ServiceLifecycle
import Synchronization

/// When sessions and keys were last used: noted in memory with each request, and written once a minute.
///
/// So each costs a write a minute at most on each instance, however much it is used. Moments are kept to the minute, so that one statement
/// writes those of many. What was noted within the last minute is lost when the process is killed.
public final class Sightings: ServiceLifecycle.Service {
    /// More than this within a minute are noted in the next.
    static let most = 100_000
    private static let batch = 500

    private let database: any Database
    private let logger: Logger
    /// The minute since 1970 in which each was last seen.
    private let seen = Mutex<[Sight: Int]>([:])

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

    func note(_ sight: Sight, at moment: Date) {
        let minute = Int(moment.timeIntervalSince1970 / 60)
        seen.withLock { seen in
            if seen.count < Self.most || seen[sight] != nil { seen[sight] = minute }
        }
    }

    /// Writes what was noted since the last time. What an outage keeps from being written is forgotten: whoever goes on is seen again.
    func flush() async {
        let noted = seen.withLock { seen in
            defer { seen = [:] }
            return seen
        }
        do {
            for (minute, seen) in Dictionary(grouping: noted.keys, by: { noted[$0] ?? 0 }) {
                let moment = Date(timeIntervalSince1970: Double(minute) * 60)
                try await write(seen.compactMap(\.session)) { try await SessionStore(database).noteSeen($0, at: moment) }
                try await write(seen.compactMap(\.apiKey)) { try await APIKeyStore(database).noteUsed($0, at: moment) }
            }
        } catch {
            logger.warning("It could not be noted when sessions and keys were last used", error: error)
        }
    }

    private func write<Entity>(
        _ seen: [Identifier<Entity>], _ note: (ArraySlice<Identifier<Entity>>) async throws -> Void
    ) async throws {
        var rest = seen[...]
        while !rest.isEmpty {
            try await note(rest.prefix(Self.batch))
            rest = rest.dropFirst(Self.batch)
        }
    }
}

/// What somebody was seen with.
enum Sight: Hashable, Sendable {
    case session(Identifier<LoginSession>)
    case apiKey(Identifier<APIKey>)

    init?(_ caller: Caller) {
        guard let sight = caller.apiKey.map(Sight.apiKey) ?? caller.session.map(Sight.session) else { return nil }
        self = sight
    }

    var session: Identifier<LoginSession>? { if case .session(let id) = self { id } else { nil } }
    var apiKey: Identifier<APIKey>? { if case .apiKey(let id) = self { id } else { nil } }
}

/// Tells who calls, and notes what they called with.
struct SeeingCallers: Authenticator {
    private let inner: any Authenticator
    private let sightings: Sightings
    private let clock: WallClock

    init(_ inner: any Authenticator, _ sightings: Sightings, _ clock: WallClock) {
        (self.inner, self.sightings, self.clock) = (inner, sightings, clock)
    }

    func caller(of request: HTTPRequest) async throws -> Caller? {
        let caller = try await inner.caller(of: request)
        if let sight = caller.flatMap(Sight.init) { sightings.note(sight, at: clock.now) }
        return caller
    }
}
