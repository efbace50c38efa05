import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
public import MartletService
import MartletStorage

extension IdentityService {
    /// The account as its owner sees it, and when there were logins. All of it goes with the account's row.
    public var personalData: [PersonalData] {
        [
            PersonalData("account", in: ["account"]) { [database] (owner, last: User?) in
                last == nil ? [try await AccountStore(database).find(owner)] : []
            },
            PersonalData("sessions", in: ["session", "refresh_token"]) { [database] (owner, last: KeptSession?) in
                try await ProfileStore(database).sessions(of: owner, after: last, limit: 500)
            },
            short("roles", in: "account_role") { try await ProfileStore($0).roles(of: $1) },
            short("memberships", in: "membership") { try await ProfileStore($0).memberships(of: $1) },
            short("external_identities", in: "external_identity") { try await ProfileStore($0).externalIdentities(of: $1) },
            short("api_keys", in: "api_key") { try await APIKeyStore($0).all(of: $1) },
            short("remembered_devices", in: "remembered_device") { try await ProfileStore($0).devices(of: $1) },
        ]
    }

    /// A list that is read at once.
    private func short<Row: Encodable & Sendable>(
        _ name: String, in table: String,
        _ rows: @escaping @Sendable (any Database, Identifier<Account>) async throws -> [Row]
    ) -> PersonalData {
        PersonalData(name, in: [table]) { [database] (owner, last: Row?) in
            last == nil ? try await rows(database, owner) : []
        }
    }
}

/// A role that somebody has.
struct KeptRole: Codable, Sendable {
    let role: RoleName
}

/// An organisation that somebody is in.
struct KeptMembership: Codable, Sendable {
    let organisationId: Identifier<Organisation>
    let name: OrganisationName
    let role: OrganisationRole
    let joinedAt: Date
}

/// Whose tokens somebody comes with.
struct KeptIdentity: Codable, Sendable {
    let issuer: String
    let subject: String
    let createdAt: Date
}

/// A login session as its owner may know it.
struct KeptSession: Codable, Sendable {
    let id: Identifier<LoginSession>
    let device: String?
    let address: String?
    let createdAt: Date
    let seenAt: Date?
    let revokedAt: Date?
}
