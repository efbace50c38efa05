import HTTPTypes
import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage

extension IdentityService {
    var organisationRoutes: [Route] {
        [
            serve(OrganisationsAPI.create) { new, caller in try await create(new, by: caller.id) },
            serve(OrganisationsAPI.list) { filter, caller in try await OrganisationStore(database, of: caller.id).page(filter) },
            serve(OrganisationsAPI.find) { reference, caller in
                try await OrganisationStore(database, of: caller.id).find(reference.id)
            },
            serve(OrganisationsAPI.rename) { renaming, caller in try await rename(renaming, by: caller.id) },
            serve(OrganisationsAPI.delete) { reference, caller in
                try await delete(reference.id, by: caller.id)
                return NoContent()
            },
            serve(OrganisationsAPI.switch) { choice, caller in try await choose(choice, by: caller) },
            serve(OrganisationsAPI.join) { acceptance, caller in try await accept(acceptance.token, by: caller.id) },
        ] + memberRoutes + invitationRoutes
    }

    private var memberRoutes: [Route] {
        [
            serve(OrganisationsAPI.members) { filter, caller in
                try await MemberStore(database, in: try await Membership.of(caller.id, in: filter.id, database)).page(filter)
            },
            serve(OrganisationsAPI.changeMember) { change, caller in try await apply(change, by: caller.id) },
            serve(OrganisationsAPI.removeMember) { reference, caller in
                try await remove(reference.accountId, from: reference.id, by: caller.id)
                return NoContent()
            },
            serve(OrganisationsAPI.leave) { reference, caller in
                try await leave(reference.id, caller.id)
                return NoContent()
            },
        ]
    }

    private var invitationRoutes: [Route] {
        [
            serve(replying: OrganisationsAPI.invite) { new, caller, call in
                // Nobody's mailbox is to be filled, by however many organisations.
                try await call.limit(account: "invitation \(new.email.raw)")
                return Reply(try await invite(new, by: caller.id), fields: [.cacheControl: "no-store"])
            },
            serve(OrganisationsAPI.invitations) { filter, caller in
                let membership = try await Membership.of(caller.id, in: filter.id, database)
                try membership.requireAdministrator()
                return try await InvitationStore(database, in: membership).page(filter, at: clock.now)
            },
            serve(OrganisationsAPI.revokeInvitation) { reference, caller in
                try await revoke(reference, by: caller.id)
                return NoContent()
            },
        ]
    }
}

// MARK: Organisations

extension IdentityService {
    private func create(_ new: NewOrganisation, by caller: Identifier<Account>) async throws -> OrganisationProfile {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let organisation = try await OrganisationStore(transaction, of: caller).create(new.name, at: clock.now)
            try await audit.record(.organisation(.organisationCreated, organisation.id), in: transaction)
            return organisation
        }
    }

    private func rename(_ renaming: OrganisationRenaming, by caller: Identifier<Account>) async throws -> OrganisationProfile {
        try await database.transaction { transaction in
            let membership = try await Membership.of(caller, in: renaming.id, transaction)
            try membership.requireAdministrator()
            try await MemberStore(transaction, in: membership).rename(renaming.name, at: clock.now)
            let organisation = try await OrganisationStore(transaction, of: caller).find(renaming.id)
            try await audit.record(.organisation(.organisationRenamed, renaming.id), in: transaction)
            return organisation
        }
    }

    private func delete(_ organisation: Identifier<Organisation>, by caller: Identifier<Account>) async throws {
        try await denylist.changingPermissions { transaction in
            let membership = try await Membership.of(caller, in: organisation, transaction)
            try membership.requireOwner()
            let store = MemberStore(transaction, in: membership)
            let members = try await store.accounts()
            try await store.deleteOrganisation()
            try await audit.record(.organisation(.organisationDeleted, organisation), in: transaction)
            return ((), Set(members))
        }
    }

    private func choose(_ choice: OrganisationChoice, by caller: Caller) async throws -> AccessGrant {
        guard let session = caller.session else {
            throw Failure.unauthenticated("session_missing", "This needs an access token that comes from a login.")
        }
        switch choice.organisationId {
        case .unchanged: break
        case .cleared: try await OrganisationStore(database, of: caller.id).choose(nil, for: session)
        case .set(let organisation): try await OrganisationStore(database, of: caller.id).choose(organisation, for: session)
        }
        let (token, entitlements) = try await accessToken(of: caller.id, in: session)
        return AccessGrant(
            accessToken: token, expiresIn: Int(policy.tokens.lifetime.components.seconds), organisationId: entitlements.organisation)
    }
}

// MARK: Members

extension IdentityService {
    private func apply(_ change: MemberChange, by caller: Identifier<Account>) async throws -> OrganisationMember {
        try await denylist.changingPermissions { transaction in
            let membership = try await Membership.of(caller, in: change.id, transaction)
            try membership.requireAdministrator()
            let store = MemberStore(transaction, in: membership)
            let old = try await store.find(change.accountId).role
            try membership.requirePower(over: old)
            try membership.requirePower(over: change.role)
            try await store.change(change.accountId, to: change.role)
            try await store.requireOwner()
            let member = try await store.find(change.accountId)
            try await audit.record(
                .member(.memberChanged, change.accountId, of: change.id, from: old, to: change.role), in: transaction)
            return (member, old == change.role ? [] : [change.accountId])
        }
    }

    private func remove(
        _ account: Identifier<Account>, from organisation: Identifier<Organisation>, by caller: Identifier<Account>
    ) async throws {
        try await denylist.changingPermissions { transaction in
            let membership = try await Membership.of(caller, in: organisation, transaction)
            try membership.requireAdministrator()
            let store = MemberStore(transaction, in: membership)
            let role = try await store.find(account).role
            try membership.requirePower(over: role)
            try await store.remove(account)
            try await store.requireOwner()
            try await audit.record(.member(.memberRemoved, account, of: organisation, from: role), in: transaction)
            return ((), [account])
        }
    }

    private func leave(_ organisation: Identifier<Organisation>, _ account: Identifier<Account>) async throws {
        try await denylist.changingPermissions { transaction in
            let membership = try await Membership.of(account, in: organisation, transaction)
            let store = MemberStore(transaction, in: membership)
            try await store.remove(account)
            try await store.requireOwner()
            try await audit.record(.member(.memberLeft, account, of: organisation, from: membership.role), in: transaction)
            return ((), [account])
        }
    }
}

// MARK: Invitations

extension IdentityService {
    private func invite(_ new: NewInvitation, by caller: Identifier<Account>) async throws -> IssuedInvitation {
        let (token, isMailed) = (InvitationToken.random(), new.byMail ?? (mail != nil))
        if isMailed, mail == nil { throw AccountMail.unavailable }
        let invitation = try await database.transaction { transaction in
            let membership = try await Membership.of(caller, in: new.id, transaction)
            try membership.requirePower(over: new.role)
            let store = InvitationStore(transaction, in: membership)
            guard try await !store.isMember(new.email) else {
                throw Failure.conflict("already_member", "This account is a member of the organisation.")
            }
            let invitation = try await store.insert(new, token: token, at: clock.now)
            if isMailed { try await mail?.enqueueInvitation(invitation.id, from: caller, in: transaction) }
            try await audit.record(
                .organisation(.invited, new.id, after: ["invitation": .text("\(invitation.id)"), "role": .text(new.role.rawValue)]),
                in: transaction)
            return invitation
        }
        return IssuedInvitation(invitation, token: isMailed ? nil : token)
    }

    private func revoke(_ reference: InvitationReference, by caller: Identifier<Account>) async throws {
        try await database.transaction { transaction in
            let membership = try await Membership.of(caller, in: reference.id, transaction)
            try membership.requireAdministrator()
            try await InvitationStore(transaction, in: membership).delete(reference.invitationId)
            try await audit.record(
                .organisation(.invitationRevoked, reference.id, before: ["invitation": .text("\(reference.invitationId)")]), in: transaction
            )
        }
    }

    private func accept(_ token: InvitationToken, by caller: Identifier<Account>) async throws -> OrganisationProfile {
        try await database.transaction { transaction in
            let email = try await AccountStore(transaction).find(caller).email
            let accepted = try await AcceptedInvitation.taking(token, for: email, at: clock.now, transaction)
            let store = OrganisationStore(transaction, of: caller)
            try await store.join(accepted.organisationID, as: accepted.role, at: clock.now)
            let organisation = try await store.find(accepted.organisationID)
            try await audit.record(.member(.memberJoined, caller, of: accepted.organisationID, to: accepted.role), in: transaction)
            return organisation
        }
    }
}
