import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of the token that makes the first administrator: there is one at most, of which only the hash is stored.
struct SetupStore: Sendable {
    static let lifetime = Duration.seconds(86_400)
    /// Within this time after a token was made, none takes its place: of instances that start together, one offers its own.
    static let reign = Duration.seconds(60)
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    /// Puts a token in the place of an older one; returns whether it did. Not while there is a fresh one, nor when there is an administrator.
    /// One statement, so that of those who race one does.
    func put(_ token: SetupToken, at now: Date) async throws -> Bool {
        let role = BuiltInRole.admin
        let (expiry, recent) = (now.addingTimeInterval(Self.lifetime / .seconds(1)), now.addingTimeInterval(-(Self.reign / .seconds(1))))
        return try await database.change(
            """
            INSERT INTO setup_token (id, hash, created_at, expires_at)
            SELECT 1, \(token.hash), \(now), \(expiry) WHERE NOT EXISTS (SELECT 1 FROM account_role WHERE role = \(role))
            ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at
            WHERE setup_token.created_at <= \(recent)
            """) > 0
    }

    func holds(_ token: SetupToken, at now: Date) async throws -> Bool {
        try await database.first(Int.self, "SELECT 1 FROM setup_token WHERE hash = \(token.hash) AND expires_at > \(now)") != nil
    }

    /// Uses the token up; returns whether it was good. Of those who race, one has it.
    func redeem(_ token: SetupToken, at now: Date) async throws -> Bool {
        try await database.change("DELETE FROM setup_token WHERE hash = \(token.hash) AND expires_at > \(now)") > 0
    }
}
