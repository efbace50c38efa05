import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletTestKit
import NIOHTTP1
import Testing

/// Role by role over every endpoint, by its declaration alone: a new endpoint, permission or role is covered when it is declared.
@Suite("A role", .everyDatabase)
struct EachRole {
    @Test func mayCallExactlyWhatIsDeclaredForIt() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            for role in BuiltInRole.allCases {
                let name = "holder-\(role.rawValue)"
                try await admin.give([role.rawValue], to: try await app.somebody(name).id)
                let token = try await app.token(of: name)
                for named in App.operations {
                    try await app.expect(named.operation.access.isAllowed(to: role), named, token, "\(role)")
                }
            }
        }
    }

    @Test func inAnOrganisationAddsWhatIsSharedThere() async throws {
        try await withApp { app in
            let ada = try await app.somebody("ada")
            let organisation = try await ada.found("Engines").id
            for role in OrganisationRole.allCases {
                let (name, other) = ("holder-\(role.rawValue)", try await app.somebody("holder-\(role.rawValue)"))
                try await ada.add(other, name, as: role, to: organisation)
                let token = try await other.client.act(for: organisation).accessToken
                for named in App.operations { try await app.expect(named.mayBeCalled(by: role), named, token, "\(role) there") }
            }
        }
    }

    /// Whoever has it has all there is, and nothing that an endpoint asks for is nobody's.
    @Test func thatIsAdminLacksNothing() {
        let all = App.roles.permissions(of: .admin)
        for named in App.operations {
            if case .permission(let permission) = named.operation.access { #expect(all.contains(permission), "\(named.identifier)") }
        }
        for role in BuiltInRole.allCases { #expect(App.roles.permissions(of: role).isSubset(of: all)) }
        for role in OrganisationRole.allCases {
            #expect(App.roles.sharedPermissions(of: role).isSubset(of: App.permissions.filter(\.isShared).map(\.permission)), "\(role)")
        }
    }
}

extension TestApp {
    /// Whoever calls is judged before what they send: a parameter that nobody declared keeps the call from having any effect.
    fileprivate func expect(_ isAllowed: Bool, _ named: NamedOperation, _ token: String, _ who: String) async throws {
        let answer = try await DeclaredRequest(named.operation).with(query: "no_such_parameter", "1").send(to: self, token: token)
        #expect(answer.status == (isAllowed ? 422 : 403), "\(named.identifier) by \(who): \(answer.text)")
        guard !isAllowed, case .permission(let permission) = named.operation.access else { return }
        let problem = try answer.problem()
        #expect(problem.code == "permission_missing" && problem.permission == permission.raw, "\(named.identifier) by \(who)")
    }
}
