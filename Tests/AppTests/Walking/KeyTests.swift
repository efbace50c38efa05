import MartletApp
import MartletContract
import MartletIdentityAPI
import MartletTestKit
import Testing

/// Keys over every endpoint, by its declaration alone: a new endpoint is covered when it is declared.
@Suite("Whoever calls with an API key", .everyDatabase)
struct EachKey {
    @Test func thatMayDoEverythingIsRefusedWhereALoginIsNeeded() async throws {
        try await withApp { app in
            let key = try await app.newKey(try await app.operatorToken()).key.raw
            for named in App.operations { try await app.expect(named.operation.access == .loggedIn ? .login : nil, named, key) }
        }
    }

    @Test func thatMayDoNothingIsRefusedWhereAPermissionIsNeeded() async throws {
        try await withApp { app in
            let key = try await app.newKey(try await app.operatorToken(), []).key.raw
            for named in App.operations { try await app.expect(named.operation.access.refusalOfBareKeys, named, key) }
        }
    }
}

private enum KeyRefusal: String {
    case login = "login_required"
    case permission = "permission_missing"
}

extension Access {
    fileprivate var refusalOfBareKeys: KeyRefusal? {
        switch self {
        case .anyone, .signedIn: nil
        case .loggedIn: .login
        case .permission: .permission
        }
    }
}

extension TestApp {
    /// Whoever calls is judged before what they send: a parameter that nobody declared keeps the call from having any effect.
    fileprivate func expect(_ refusal: KeyRefusal?, _ named: NamedOperation, _ key: String) async throws {
        let request = try DeclaredRequest(named.operation).with(query: "no_such_parameter", "1")
        for field in [("X-API-Key", key), ("Authorization", "Bearer \(key)")] {
            let answer = try await request.send(to: self, headers: [field])
            #expect(answer.status == (refusal == nil ? 422 : 403), "\(named.identifier) by \(field.0): \(answer.text)")
            if let refusal { #expect(try answer.problem().code == refusal.rawValue, "\(named.identifier) by \(field.0)") }
        }
    }
}
