import Foundation
import HTTPTypes
import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage

// What programs call with in somebody's place.
extension IdentityService {
    var apiKeyRoutes: [Route] {
        [
            serve(replying: APIKeysAPI.create) { new, caller, _ in
                Reply(try await create(new, by: caller), fields: [.cacheControl: "no-store"])
            },
            serve(APIKeysAPI.list) { _, caller in
                APIKeyList(keys: try await APIKeyStore(database).usable(of: caller.id, at: clock.now))
            },
            serve(APIKeysAPI.revoke) { reference, caller in
                try await revoke(reference.id, of: caller.id)
                return NoContent()
            },
            serve(replying: APIKeysAPI.rotate) { rotation, caller, _ in
                Reply(try await rotate(rotation, of: caller.id), fields: [.cacheControl: "no-store"])
            },
        ]
    }
}

// MARK: The work

extension IdentityService {
    private func create(_ new: NewAPIKey, by caller: Caller) async throws -> IssuedAPIKey {
        if let permissions = new.permissions { try roles.check(permissions) }
        let (secret, now) = (APIKeySecret.random(), clock.now)
        let key = try await database.transaction(isolation: .readCommitted) { transaction in
            let store = APIKeyStore(transaction)
            try await store.requireRoom(of: caller.id, at: now)
            let days = new.expiresInDays?.raw ?? APIKeyLifetime.standard
            let key = OwnAPIKey(
                id: Identifier(), name: new.name, prefix: secret.prefix, permissions: try await scope(new.permissions, caller, transaction),
                organisationId: caller.organisation, createdAt: now, expiresAt: now.addingTimeInterval(Double(days) * 86_400))
            try await store.insert(key, secret, of: caller.id)
            try await audit.record(.apiKey(.apiKeyCreated, to: key), in: transaction)
            return key
        }
        return IssuedAPIKey(key, key: secret)
    }

    /// What a new key may do at most: what was asked for, or all that its owner may. Throws `forbidden` for more than that, by what the token
    /// says, which may be less than all, and by what holds now.
    private func scope(_ asked: PermissionList?, _ caller: Caller, _ transaction: any Transaction) async throws -> PermissionList {
        let entitlements = try await Entitlements.of(caller.id, for: caller.organisation, roles, policy, transaction)
        let held = entitlements.permissions.intersection(caller.permissions)
        guard let asked else { return PermissionList(held) }
        guard let missing = Set(asked.all).subtracting(held).min() else { return asked }
        throw Failure.forbidden("permission_not_held", "A key cannot do what its owner may not: \(missing).", lacking: missing)
    }

    private func rotate(_ rotation: APIKeyRotation, of account: Identifier<Account>) async throws -> IssuedAPIKey {
        let (secret, now) = (APIKeySecret.random(), clock.now)
        let last = now.addingTimeInterval(Double(rotation.overlapSeconds?.raw ?? APIKeyOverlap.standard))
        let key = try await denylist.changing(rotation.id) { transaction in
            let store = APIKeyStore(transaction)
            try await store.requireRoom(of: account, at: now)
            let old = try await store.retire(rotation.id, of: account, by: last, at: now)
            let key = old.successor(with: secret, at: now)
            try await store.insert(key, secret, of: account)
            try await audit.record(.apiKey(.apiKeyRotated, from: old, to: key), in: transaction)
            return key
        }
        return IssuedAPIKey(key, key: secret)
    }

    private func revoke(_ key: Identifier<APIKey>, of account: Identifier<Account>) async throws {
        try await denylist.changing(key) { transaction in
            let old = try await APIKeyStore(transaction).delete(key, of: account)
            try await audit.record(.apiKey(.apiKeyRevoked, from: old), in: transaction)
        }
    }
}

extension OwnAPIKey {
    /// Another key in its place, which lives as long as it was to.
    fileprivate func successor(with secret: APIKeySecret, at now: Date) -> OwnAPIKey {
        OwnAPIKey(
            id: Identifier(), name: name, prefix: secret.prefix, permissions: permissions, organisationId: organisationId,
            createdAt: now, expiresAt: now.addingTimeInterval(expiresAt.timeIntervalSince(createdAt)))
    }
}
