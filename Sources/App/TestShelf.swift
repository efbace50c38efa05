import HTTPTypes
import MartletCache
import MartletContract
import MartletCore
import MartletHTTP
import MartletStorage
import Synchronization

extension TestAPI {
    /// A thing as anybody sees it.
    static let thing = Endpoint<ThingAsked, Thing>.get(
        "/test/things/{id}", "Read a thing", allow: .anyone,
        cache: .for(60, stale: 30, tags: "thing:{id}", varyBy: ["Accept-Language"]))
    static let ownThing = Endpoint<ThingAsked, Thing>.get(
        "/test/own-things/{id}", "Read a thing as its caller sees it", allow: .signedIn, cache: .for(60, tags: "thing:{id}"))
    static let scopedThing = Endpoint<ThingAsked, Thing>.get(
        "/test/scoped-things/{id}", "Read a thing with a permission", allow: .permission("bookmarks:write"),
        cache: .for(60, tags: "thing:{id}"))
    static let cookieThing = Endpoint<ThingAsked, Thing>.get(
        "/test/cookie-things/{id}", "Read a thing, and get a cookie", allow: .anyone, cache: .for(60, tags: "thing:{id}"))
    static let changeThing = Endpoint<ThingNamed, ThingChanged>.post("/test/things/{id}", "Change a thing", allow: .anyone)
    static let changeShelf = Endpoint<ThingNamed, NoContent>.post(
        "/test/shelves/{id}", "Change a shelf, on which things are", allow: .anyone, returns: .noContent)

    struct ThingNamed: Codable, Sendable {
        var id: Int
    }

    struct ThingChanged: Codable, Sendable {
        var version: Int
    }

    struct ThingAsked: Codable, Sendable {
        var id: Int
        /// How long its text is.
        var length: PauseLength?
        var word: String?
    }

    struct Thing: Codable, Sendable, Equatable {
        var id: Int
        /// How often it was changed, on all instances.
        var version: Int
        /// A number that no other answer has that was made anew, here or by another instance.
        var made: Int
        var language: String
        var text: String
    }
}

/// Things whose answers are kept, on shelves of ten: a shelf is what their handler says they depend on. How often each was changed is in the
/// database, so that instances share it.
final class TestShelf: Sendable {
    private let database: any Database
    private let made = Atomic(Int.random(in: 0..<1 << 50))

    init(_ database: any Database) { self.database = database }

    var routes: [Route] {
        [
            serve(open: TestAPI.thing) { asked, call in
                Reply(try await self.thing(asked, call.request.headerFields[.acceptLanguage]))
            },
            serve(TestAPI.ownThing) { asked, caller in try await self.thing(asked, "\(caller.id)") },
            serve(TestAPI.scopedThing) { asked, caller in try await self.thing(asked, "\(caller.id)") },
            serve(open: TestAPI.cookieThing) { asked, _ in Reply(try await self.thing(asked, nil), fields: [.setCookie: "one=1"]) },
            serve(open: TestAPI.changeThing) { named, _ in Reply(try await self.changed(named.id)) },
            serve(open: TestAPI.changeShelf) { named, _ in
                try await self.database.transaction { try await $0.evict("shelf:\(named.id)") }
                return Reply(NoContent())
            },
        ]
    }

    private func thing(_ asked: TestAPI.ThingAsked, _ language: String?) async throws -> TestAPI.Thing {
        CacheTags.use("shelf:\(asked.id / 10)")
        let version = try await database.first(Int.self, "SELECT version FROM test_thing WHERE id = \(asked.id)")
        return TestAPI.Thing(
            id: asked.id, version: version ?? 0, made: made.add(1, ordering: .relaxed).newValue,
            language: language ?? "none", text: String(repeating: "martlet ", count: (asked.length?.raw ?? 0) / 8))
    }

    private func changed(_ id: Int) async throws -> TestAPI.ThingChanged {
        try await database.transaction(isolation: .readCommitted) { tx in
            let version = try await tx.first(
                Int.self,
                """
                INSERT INTO test_thing (id, version) VALUES (\(id), 1)
                ON CONFLICT (id) DO UPDATE SET version = test_thing.version + 1 RETURNING version
                """)
            try await tx.evict("thing:\(id)")
            return TestAPI.ThingChanged(version: version ?? 0)
        }
    }
}

extension TestShelf {
    /// Makes the table of things, which is not part of the schema. Safe to repeat.
    static func prepare(_ database: any Database) async throws {
        try await database.schemaTransaction {
            try await $0.run(script: "CREATE TABLE IF NOT EXISTS test_thing (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)")
        }
    }
}
