import Foundation
import HTTPTypes
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage

/// Tells who calls by their API key; whoever has none is told by the authenticator within.
///
/// What was read of a key is remembered for a minute. The ``Denylist`` says when that need not hold any more, since the key, its owner's roles or
/// their membership have changed, and then it is read again: so no request costs a read, and no instance believes for a second what is over.
struct KeyAuthentication: Authenticator {
    /// How long what was read is believed, in seconds, while nobody says otherwise.
    static let freshness: TimeInterval = 60
    private let inner: any Authenticator
    private let reader: KeyReader
    private let denylist: Denylist
    private let clock: WallClock
    private let known = Remembered<VerifiedKey>()
    private let readings = KeyReadings()

    init(_ inner: any Authenticator, _ reader: KeyReader, denylist: Denylist, clock: WallClock) {
        (self.inner, self.reader, self.denylist, self.clock) = (inner, reader, denylist, clock)
    }

    func caller(of request: HTTPRequest) async throws -> Caller? {
        guard let shown = try Self.shown(by: request) else { return try await inner.caller(of: request) }
        return try await caller(with: shown)
    }

    /// What is shown as a key, be it in its own field or as a bearer's token; `nil` for a request without. Whoever shows two different things
    /// is refused: nobody knows whom others take them for.
    private static func shown(by request: HTTPRequest) throws(Failure) -> String? {
        let (own, authorization) = (request.headerFields[.apiKey], request.headerFields[.authorization])
        let bearer = authorization.flatMap(Self.bearer)
        guard let own else { return bearer.flatMap { $0.hasPrefix(APIKeySecret.mark) ? $0 : nil } }
        guard authorization == nil || bearer == own else {
            throw .unauthenticated("conflicting_credentials", "X-API-Key and Authorization say different things: send one of them.")
        }
        return own
    }

    private static func bearer(_ field: String) -> String? {
        let parts = field.split(separator: " ", maxSplits: 1)
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
    }

    private func caller(with text: String) async throws -> Caller {
        let secret: APIKeySecret
        do throws(Fault) { secret = try APIKeySecret(text) } catch { throw Failure.invalidAPIKey }
        let hash = secret.hash
        let name = Base64URL.encode(hash)
        if let known = known.value(of: name, at: clock.now), !denylist.holds(known.reading) { return known.caller }
        return try await read(hash, name).caller
    }

    /// Of many who come at once, one reads. What it began to read before something changed is good for none of those who came after.
    private func read(_ hash: [UInt8], _ name: String) async throws -> VerifiedKey {
        let read = try await readings.reading(of: name) { try await remembered(hash, name) }
        return denylist.holds(read.reading) ? try await remembered(hash, name) : read
    }

    private func remembered(_ hash: [UInt8], _ name: String) async throws -> VerifiedKey {
        let era = known.era
        let read = try await reader.read(hash, at: clock.now)
        known.remember(read, with: name, of: era)
        return read
    }
}

/// Reads what a key may do: what is among its own permissions, and at this moment among its owner's.
struct KeyReader: Sendable {
    private let database: any Queries
    private let roles: RoleCatalogue
    private let policy: IdentityPolicy

    init(_ database: any Queries, _ roles: RoleCatalogue, _ policy: IdentityPolicy) {
        (self.database, self.roles, self.policy) = (database, roles, policy)
    }

    /// Throws `unauthenticated` for a key that is nobody's, has expired, or is for an organisation that its owner is not a member of.
    func read(_ hash: [UInt8], at now: Date) async throws -> VerifiedKey {
        guard let key = try await APIKeyStore(database).shown(hash, at: now) else { throw Failure.invalidAPIKey }
        let permissions = try await entitlements(of: key).permissions.intersection(key.permissions)
        return VerifiedKey(
            caller: Caller(id: key.accountID, permissions: permissions, organisation: key.organisationID, apiKey: key.id),
            reading: KeyReading(key: key.id, account: key.accountID, at: now),
            until: min(now.addingTimeInterval(KeyAuthentication.freshness), key.expiresAt).timeIntervalSince1970)
    }

    private func entitlements(of key: ShownKey) async throws -> Entitlements {
        do {
            return try await Entitlements.of(key.accountID, for: key.organisationID, roles, policy, database)
        } catch let failure as Failure where failure.kind == .notFound {
            throw Failure.invalidAPIKey
        }
    }
}

/// What was read of a key.
struct VerifiedKey: Sendable, Expiring {
    let caller: Caller
    let reading: KeyReading
    let until: TimeInterval
}

/// Keys that are being read, so that each is read once for all who wait.
private actor KeyReadings {
    private var running: [String: Task<VerifiedKey, any Error>] = [:]

    /// The reading goes on for the others when one who waits goes away.
    func reading(of name: String, _ read: @escaping @Sendable () async throws -> VerifiedKey) async throws -> VerifiedKey {
        if let running = running[name] { return try await running.value }
        let task = Task { try await read() }
        running[name] = task
        defer { running[name] = nil }
        return try await task.value
    }
}

extension HTTPField.Name {
    fileprivate static let apiKey: HTTPField.Name = {
        guard let name = HTTPField.Name("X-API-Key") else { preconditionFailure("X-API-Key is a field name.") }
        return name
    }()
}

extension Failure {
    /// The same for every reason: which one it is helps only those who guess.
    static let invalidAPIKey = Failure.unauthenticated("invalid_api_key", "The API key is not one of this server, or not valid any more.")
}
