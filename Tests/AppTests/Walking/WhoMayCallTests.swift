import Foundation
import HTTPTypes
import MartletApp
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletJobs
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

/// Walks over every endpoint by its declaration, so that a new one cannot arrive uncovered.
@Suite("Whoever calls an endpoint", .everyDatabase)
struct WhoMayCall {
    @Test func isRefusedWithoutCredentialsUnlessTheEndpointIsOpen() async throws {
        try await withApp { app in
            for named in App.operations where named.operation.access != .anyone {
                for token in [nil, "not-a-token"] {
                    let answer = try await DeclaredRequest(named.operation).send(to: app, token: token)
                    #expect(answer.status == 401, "\(named.identifier)")
                    #expect(answer.headers.first(name: "WWW-Authenticate") == "Bearer", "\(named.identifier)")
                    #expect(try answer.problem().status == 401, "\(named.identifier)")
                }
            }
        }
    }

    @Test func isRefusedBeforeTheInputIsRead() async throws {
        try await withApp { app in
            for named in App.operations where named.operation.access != .anyone {
                let answer = try await DeclaredRequest(named.operation).with(query: "no_such", "1").with(contentType: "x/y").send(to: app)
                #expect(answer.status == 401, "\(named.identifier)")
            }
        }
    }

    @Test func isNotRefusedWithTheDeclaredExample() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            let token = admin.token
            // What examples name: somebody has the role, so that its deletion's example does not remove it.
            try await admin.createRole(RoleName.example, "bookmarks:read")
            try await admin.give([RoleName.example], to: try await app.somebody("holder").id)
            for named in App.operations where named.operation.body.maximumBytes == nil {
                let answer = try await DeclaredRequest(named.operation).send(to: app, token: token)
                #expect(![400, 405, 415, 422].contains(answer.status) && answer.status < 500, "\(named.identifier): \(answer.text)")
            }
        }
    }

    @Test func findsNothingUnderAnIdentifierThatIsAnothersOrNobodys() async throws {
        try await withApp { app in
            for (number, (collection, operations)) in App.operations.identified.enumerated() {
                // Some operations end the access of who calls them.
                let owner = try await app.founder("owner\(number)").token
                let stranger = try await app.founder("stranger\(number)").token
                let id = try await app.create(in: collection, token: owner)
                let random = Identifier<APIOperation>().description
                for named in operations {
                    let request = try DeclaredRequest(named.operation)
                    for absent in [id, random] {
                        let answer = try await request.with(path: "id", absent).send(to: app, token: stranger)
                        #expect(answer.status == 404, "\(named.identifier) of \(absent == id ? "another" : "nobody"): \(answer.text)")
                    }
                }
                // Only now, so that nothing a stranger did went through: the owner still finds it, and may do everything.
                for named in operations.filter(\.namesOneThing).sorted(by: {
                    $0.operation.method != .delete && $1.operation.method == .delete
                }) {
                    let answer = try await DeclaredRequest(named.operation).with(path: "id", id).send(to: app, token: owner)
                    #expect([named.operation.success.rawValue, 409].contains(answer.status), "\(named.identifier): \(answer.text)")
                }
            }
        }
    }

    /// What is in another's thing is not found in one's own, though its identifier is right.
    @Test func findsNothingOfAnothersWithinTheirOwn() async throws {
        try await withApp { app in
            let (owner, stranger) = (try await app.founder("owner"), try await app.founder("stranger"))
            let nested = App.operations.filter { !$0.namesOneThing && $0.mayBeCalled(by: .owner) }
            #expect(!nested.isEmpty)
            for named in nested.sorted(by: { $0.operation.method != .delete && $1.operation.method == .delete }) {
                let place = try #require(named.operation.path.parameterNames.last)
                let request = try DeclaredRequest(named.operation).with(path: place, try await app.thing(named, of: owner))
                let refused = try await request.with(path: "id", stranger.organisation).send(to: app, token: stranger.token)
                #expect(refused.status == 404, "\(named.identifier): \(refused.text)")
                let found = try await request.with(path: "id", owner.organisation).send(to: app, token: owner.token)
                #expect([named.operation.success.rawValue, 409].contains(found.status), "\(named.identifier): \(found.text)")
            }
        }
    }

    @Test func hearsThatAnIdentifierIsMalformed() async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            for named in App.operations {
                for parameter in named.operation.path.parameterNames {
                    for value in ["not-an-identifier", "019bc05e-9a40-7c3d-8e11-5f0a4b7d229", "%00"] {
                        let answer = try await DeclaredRequest(named.operation).with(path: parameter, value).send(to: app, token: token)
                        #expect(answer.status == 422, "\(named.identifier): \(answer.text)")
                        #expect(try answer.problem().errors?.map(\.pointer) == [parameter], "\(named.identifier)")
                    }
                }
            }
        }
    }
}

extension [NamedOperation] {
    /// The operations under `…/{id}`, by the path of the collection before it.
    fileprivate var identified: [(collection: String, operations: [NamedOperation])] {
        let found = filter { $0.operation.path.parameterNames.contains("id") && $0.mayBeCalled(by: .owner) }
        return Dictionary(grouping: found) { String($0.operation.path.path.prefix { $0 != "{" }.dropLast()) }
            .map { ($0.key, $0.value) }
    }
}

extension NamedOperation {
    /// Whether a member who has a role in an organisation may call it; others see what is anybody's.
    func mayBeCalled(by role: OrganisationRole) -> Bool {
        guard case .permission(let permission) = operation.access else { return true }
        return App.roles.permissions(of: .member).union(App.roles.sharedPermissions(of: role)).contains(permission)
    }

    /// Rather than something within it, by two identifiers.
    fileprivate var namesOneThing: Bool { operation.path.parameterNames.count < 2 }
}

extension TestApp {
    /// Creates a thing by the POST of its collection, as declared; returns its identifier. Jobs come from elsewhere.
    fileprivate func create(in collection: String, token: String) async throws -> String {
        if collection == "/api/v1/jobs" { return try await enqueueJob(token: token) }
        if collection == "/api/v1/auth/mfa/devices" { return try await rememberDevice(token: token) }
        if collection == "/api/v1/auth/sessions" { return try await furtherSession(token: token) }
        let creator = App.operations.first { $0.operation.method == .post && $0.operation.path.path == collection }
        let operation = try #require(creator?.operation, "POST \(collection) should create what \(collection)/{id} names.")
        let answer = try await DeclaredRequest(operation).send(to: self, token: token)
        return try #require(try answer.json()["id"]?.text, "\(answer.text)")
    }

    /// Of the owner: the one that calls has to go on.
    private func furtherSession(token: String) async throws -> String {
        let name = try #require(try await raw(.GET, "/api/v1/auth/me", token: token).json()["username"]?.text)
        let further = try await logIn(name, Registration.password).accessToken
        return try #require(try await sessions(further).first { $0.isCurrent }).id.description
    }

    private func rememberDevice(token: String) async throws -> String {
        let (id, now) = (Identifier<RememberedDevice>(), WallClock.system.now)
        try await app.database.change(
            """
            INSERT INTO remembered_device (id, account_id, hash, created_at, expires_at)
            VALUES (\(id), \(try await owner(of: token)), \([UInt8](repeating: 1, count: 32)), \(now), \(now.addingTimeInterval(3600)))
            """)
        return "\(id)"
    }

    private func owner(of token: String) async throws -> Identifier<Account> {
        let me = try await raw(.GET, "/api/v1/auth/me", token: token).json()["id"]?.text
        return try #require(me.flatMap { Identifier<Account>($0[...]) })
    }

    private func enqueueJob(token: String) async throws -> String {
        let owner = try await owner(of: token)
        return try await app.database.transaction { transaction in
            "\(try await Jobs().enqueue(Errand(), for: owner, in: transaction).id)"
        }
    }
}

extension PathTemplate {
    /// The path before its last place.
    fileprivate var collection: String { String(path[..<(path.lastIndex(of: "{") ?? path.endIndex)].dropLast()) }
}

/// Somebody who owns an organisation and acts for it.
struct Founder {
    let token: String
    let organisation: String
}

extension TestApp {
    func founder(_ name: String) async throws -> Founder {
        let alone = try await token(name)
        let organisation = try await create(in: "/api/v1/organisations", token: alone)
        let choice = #"{"organisation_id":"\#(organisation)"}"#
        let grant = try await raw(.POST, "/api/v1/auth/organisation", token: alone, json: choice).json()
        return Founder(token: try #require(grant["access_token"]?.text), organisation: organisation)
    }

    /// The identifier of something in the founder's organisation, as the last place of a path names it: created by the POST of its collection,
    /// or else the first that the collection lists.
    fileprivate func thing(_ named: NamedOperation, of founder: Founder) async throws -> String {
        let collection = named.operation.path.collection
        let operations = App.operations.filter { $0.operation.path.path == collection }
        let source = operations.first { $0.operation.method == .post } ?? operations.first { $0.operation.method == .get }
        let operation = try #require(source?.operation, "POST or GET \(collection) should tell what \(named.operation.path) names.")
        // From its beginning: the example of a cursor is somewhere.
        let request = try DeclaredRequest(operation).with(path: "id", founder.organisation).changed { $0.query = [] }
        let answer = try await request.send(to: self, token: founder.token).json()
        let place = try #require(named.operation.path.parameterNames.last)
        return try #require((answer["id"] ?? answer["items"]?.elements.first?[place])?.text)
    }
}

private struct Errand: Job {
    static let name = "test.walking"

    func run(_ work: Work<Errand>, with _: Void) async throws -> Outcome { .done }
}
