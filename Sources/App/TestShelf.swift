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
        "/test/scoped-things/{id}", "Read a thing with a permission", allow: .scope("bookmarks:write"), cache: .for(60, tags: "thing:{id}"))
    static let cookieThing = Endpoint<ThingAsked, Thing>.get(
        "/test/cookie-things/{id}", "Read a thing, and get a cookie", allow: .anyone, cache: .for(60, tags: "thing:{id}"))
    static let changeThing = Endpoint<ThingNamed, NoContent>.post(
        "/test/things/{id}", "Change a thing", allow: .anyone, returns: .noContent)
    static let changeShelf = Endpoint<ThingNamed, NoContent>.post(
        "/test/shelves/{id}", "Change a shelf, on which things are", allow: .anyone, returns: .noContent)

    struct ThingNamed: Codable, Sendable {
        var id: Int
    }

    struct ThingAsked: Codable, Sendable {
        var id: Int
        /// How long its text is.
        var length: PauseLength?
        var word: String?
    }

    struct Thing: Codable, Sendable, Equatable {
        var id: Int
        /// How often it was changed.
        var version: Int
        /// How many answers had been made when this was.
        var made: Int
        var language: String
        var text: String
    }
}

/// Things whose answers are kept, on shelves of ten: a shelf is what their handler says they depend on.
final class TestShelf: Sendable {
    private let database: any Database
    private let versions = Mutex<[Int: Int]>([:])
    private let made = Atomic(0)

    init(_ database: any Database) { self.database = database }

    var routes: [Route] {
        [
            serve(open: TestAPI.thing) { asked, call in Reply(self.thing(asked, call.request.headerFields[.acceptLanguage])) },
            serve(TestAPI.ownThing) { asked, caller in self.thing(asked, "\(caller.id)") },
            serve(TestAPI.scopedThing) { asked, caller in self.thing(asked, "\(caller.id)") },
            serve(open: TestAPI.cookieThing) { asked, _ in Reply(self.thing(asked, nil), fields: [.setCookie: "one=1"]) },
            serve(open: TestAPI.changeThing) { named, _ in
                self.versions.withLock { $0[named.id, default: 0] += 1 }
                return try await self.evicting("thing:\(named.id)")
            },
            serve(open: TestAPI.changeShelf) { named, _ in try await self.evicting("shelf:\(named.id)") },
        ]
    }

    private func thing(_ asked: TestAPI.ThingAsked, _ language: String?) -> TestAPI.Thing {
        CacheTags.use("shelf:\(asked.id / 10)")
        return TestAPI.Thing(
            id: asked.id, version: versions.withLock { $0[asked.id] ?? 0 }, made: made.add(1, ordering: .relaxed).newValue,
            language: language ?? "none", text: String(repeating: "martlet ", count: (asked.length?.raw ?? 0) / 8))
    }

    private func evicting(_ tag: CacheTag) async throws -> Reply<NoContent> {
        try await database.transaction { try await $0.evict(tag) }
        return Reply(NoContent())
    }
}
