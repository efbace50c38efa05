import MartletContract
import MartletSettings
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite("Kept answers", .everyDatabase)
struct KeptAnswers {
    @Test func areServedWithoutMakingThemAnew() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let first = try await shelf.get("things/1")
            let second = try await shelf.get("things/1")
            #expect(first.headers["X-Cache"] == ["miss"] && second.headers["X-Cache"] == ["hit"])
            #expect(first.bytes == second.bytes)
            #expect(first.headers["ETag"] == second.headers["ETag"])
            #expect(first.headers["Content-Type"] == ["application/json"] && second.headers["Content-Type"] == ["application/json"])
            #expect(first.headers["Age"] == [] && second.headers["Age"].first.flatMap { Int($0) } != nil)
            for answer in [first, second] {
                #expect(answer.headers["Cache-Control"] == ["public, max-age=60, stale-while-revalidate=30"])
                #expect(answer.headers["Vary"].joined().contains("Accept-Language"))
                #expect(answer.headers["X-Request-ID"].count == 1 && answer.headers["Date"].count == 1)
                #expect(answer.headers["X-Content-Type-Options"] == ["nosniff"])
                #expect(answer.headers["Content-Length"] == ["\(answer.bytes.count)"])
            }
        }
    }

    @Test func areMadeAnewAfterAWriteToWhatTheyUsedAndOnlyThen() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            for id in [11, 12, 21] { _ = try await shelf.made("things/\(id)") }
            let before = try await shelf.made("things/12", "things/21")
            try await shelf.post("things/11")
            try await shelf.soon { try await shelf.version("things/11") == 1 }
            #expect(try await shelf.made("things/12", "things/21") == before)
            // The handler says that it used the shelf.
            try await shelf.post("shelves/1")
            try await shelf.soon { try await shelf.made("things/12") != [before[0]] }
            #expect(try await shelf.made("things/21") == [before[1]])
        }
    }

    @Test func areEvictedHoweverTheirPathWasWritten() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            for spelling in ["7", "%37", "07"] {
                #expect(try await shelf.version("things/\(spelling)") == 0)
                #expect(try await shelf.get("things/\(spelling)").headers["X-Cache"] == ["hit"])
            }
            try await shelf.post("things/7")
            for spelling in ["7", "%37", "07"] { try await shelf.soon { try await shelf.version("things/\(spelling)") == 1 } }
        }
    }

    @Test func everyWriteIsReadByWhoMadeIt() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            for round in 1...30 {
                try await shelf.post("things/3")
                try await shelf.soon { try await shelf.version("things/3") == round }
            }
        }
    }

    @Test func differByQueryAndByTheFieldsTheyDependOn() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let plain = try await shelf.made("things/1")
            #expect(try await shelf.made("things/1?word=a") != plain)
            #expect(try await shelf.made("things/1?word=a") == shelf.made("things/1?word=%61"))
            #expect(try await shelf.made("things/1?word=a%26length%3D8") != shelf.made("things/1?word=a&length=8"))
            let french = try await shelf.get("things/1", [("Accept-Language", "fr")])
            #expect(try french.json()["language"] == "fr")
            #expect(try await shelf.get("things/1", [("Accept-Language", "fr")]).headers["X-Cache"] == ["hit"])
            #expect(try await shelf.made("things/1") == plain)
        }
    }

    @Test func invalidInputIsRefusedEachTime() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            for _ in 0..<2 {
                #expect(try await shelf.get("things/1?unknown=1").status == 422)
                #expect(try await shelf.app.exchange("GET /test/things/1?word=%zz").status == 400)
                #expect(try await shelf.get("things/nobody").status == 422)
            }
        }
    }

    @Test func parallelRequestsMakeOne() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            // Each on a connection of its own.
            let bodies = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<40 { group.addTask { try await shelf.app.exchange("GET /test/things/5?length=4000").body } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(bodies.count == 40 && Set(bodies).count == 1)
        }
    }

    @Test func headAnswersLikeGetWithoutABody() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let head = try await shelf.app.raw(.HEAD, "/test/things/1")
            let get = try await shelf.get("things/1")
            #expect(get.headers["X-Cache"] == ["hit"])
            #expect(head.bytes.isEmpty && head.headers["ETag"] == get.headers["ETag"])
            let again = try await shelf.app.raw(.HEAD, "/test/things/1")
            #expect(again.headers["Content-Length"] == get.headers["Content-Length"] && again.headers["X-Cache"] == ["hit"])
        }
    }

    @Test func thoseThatSetACookieAreNotKept() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let first = try await shelf.get("cookie-things/1")
            let second = try await shelf.get("cookie-things/1")
            #expect(first.bytes != second.bytes && second.headers["X-Cache"] == [])
            #expect(second.headers["Set-Cookie"] == ["one=1"] && second.headers["ETag"] == [])
        }
    }

    @Test func nothingIsKeptWithoutMemoryAndEverythingIsAnswered() async throws {
        try await withApp(change: {
            $0.testRoutes = true
            $0.cacheMemory = 0
            // What is shared is kept elsewhere.
            $0.redisURL = nil
        }) { app in
            let first = try await app.raw(.GET, "/test/things/1")
            let second = try await app.raw(.GET, "/test/things/1")
            #expect(first.status == 200 && second.status == 200 && first.bytes != second.bytes)
        }
    }
}

@Suite("Kept answers: conditions and codings", .everyDatabase)
struct KeptAnswersConditions {
    @Test(arguments: ["{}", "W/{}", "\"a\", {}", "\"a,b\" , W/{}", "*"])
    func whoHasItAlreadyHearsThatItIsUnchanged(condition: String) async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let etag = try #require(try await shelf.get("things/1").headers["ETag"].first)
            let answer = try await shelf.get("things/1", [("If-None-Match", condition.replacing("{}", with: etag))])
            #expect(answer.status == 304 && answer.bytes.isEmpty)
            #expect(answer.headers["ETag"] == [etag] && answer.headers["Vary"].count > 0)
            #expect(answer.headers["Cache-Control"] == ["public, max-age=60, stale-while-revalidate=30"])
            #expect(answer.headers["Content-Type"] == [] && answer.headers["Content-Length"] == [])
            // The connection is still in step.
            #expect(try await shelf.get("things/1").status == 200)
        }
    }

    @Test(arguments: ["\"a\"", "{}x", "a", "\"", "W/\"a\", \"b\"", "'{}'"])
    func whoHasSomethingElseHearsItAll(condition: String) async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let etag = try #require(try await shelf.get("things/1").headers["ETag"].first)
            let condition = condition == "{}x" ? String(etag.dropLast()) + "x\"" : condition.replacing("{}", with: "x")
            #expect(try await shelf.get("things/1", [("If-None-Match", condition)]).status == 200)
        }
    }

    @Test func whatWasChangedIsSentAgain() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let etag = try #require(try await shelf.get("things/1").headers["ETag"].first)
            try await shelf.post("things/1")
            try await shelf.soon {
                let answer = try await shelf.get("things/1", [("If-None-Match", etag)])
                return answer.status == 200 && answer.headers["ETag"] != [etag]
            }
        }
    }

    @Test func aCompressedAnswerIsKeptBesideThePlainOneAndHasATagOfItsOwn() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let plain = try await shelf.long()
            let gzip = try await shelf.long(["Accept-Encoding: gzip"])
            #expect(plain["Content-Encoding"] == nil && gzip["Content-Encoding"] == "gzip")
            #expect(gzip["X-Cache"] == "hit" && gzip.body.starts(with: [0x1f, 0x8b]) && gzip.body.count < plain.body.count)
            #expect(gzip["Content-Length"] == "\(gzip.body.count)")
            let (tag, other) = try (#require(plain["ETag"]), #require(gzip["ETag"]))
            #expect(other == tag.dropLast() + "-g\"")
            for answer in [plain, gzip] { #expect(answer["Vary"]?.ranges(of: "Accept-Encoding").count == 1) }
            let unchanged = try await shelf.long(["Accept-Encoding: gzip", "If-None-Match: \(other)"])
            #expect(unchanged.status == 304 && unchanged["ETag"] == other && unchanged.body.isEmpty)
            // Other bytes than it would be sent.
            let changed = try await shelf.long(["Accept-Encoding: gzip", "If-None-Match: \(tag)"])
            #expect(changed.status == 200)
        }
    }
}

@Suite("Kept answers for callers", .everyDatabase)
struct KeptAnswersForCallers {
    @Test func areNobodyElses() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let (ada, bob) = (try await shelf.app.token("ada"), try await shelf.app.token("bob"))
            let first = try await shelf.app.raw(.GET, "/test/own-things/1", token: ada)
            let others = try await shelf.app.raw(.GET, "/test/own-things/1", token: bob)
            let again = try await shelf.app.raw(.GET, "/test/own-things/1", token: ada)
            #expect(try first.json()["language"] != others.json()["language"])
            #expect(again.headers["X-Cache"] == ["hit"] && again.bytes == first.bytes)
            #expect(again.headers["Cache-Control"] == ["private, max-age=60"])
            #expect(again.headers["Vary"].joined().contains("Authorization"))
        }
    }

    @Test func areServedOnlyToWhoMayCall() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let token = try await shelf.app.token("ada")
            for path in ["own-things/1", "scoped-things/1"] {
                #expect(try await shelf.app.raw(.GET, "/test/\(path)", token: token).status == 200)
                #expect(try await shelf.app.raw(.GET, "/test/\(path)", token: token).headers["X-Cache"] == ["hit"])
                #expect(try await shelf.get(path).status == 401)
                #expect(try await shelf.app.raw(.GET, "/test/\(path)", token: "x" + token).status == 401)
            }
        }
    }

    @Test func aWriteEvictsThemForEverybody() async throws {
        try await withShelf { (shelf: Shelf) async throws in
            let tokens = [try await shelf.app.token("ada"), try await shelf.app.token("bob")]
            for token in tokens { _ = try await shelf.app.raw(.GET, "/test/own-things/1", token: token) }
            try await shelf.post("things/1")
            for token in tokens {
                try await shelf.soon { try await shelf.app.raw(.GET, "/test/own-things/1", token: token).json()["version"] == 1 }
            }
        }
    }
}

/// An app with the shelf of tests, whose cache is in use.
private struct Shelf: Sendable {
    let app: TestApp

    func get(_ path: String, _ headers: [(String, String)] = []) async throws -> RawAnswer {
        try await app.raw(.GET, "/test/\(path)", headers: headers)
    }

    /// Reads an answer that is worth compressing.
    func long(_ fields: [String] = []) async throws -> SocketAnswer {
        try await app.exchange("GET /test/things/1?length=8000", fields)
    }

    func post(_ path: String) async throws {
        let answer = try await app.raw(.POST, "/test/\(path)")
        #expect(answer.status == 200 || answer.status == 204)
    }

    /// What holds at once for who waited for a change; another instance may hear of it a moment later.
    func soon(_ condition: @escaping @Sendable () async throws -> Bool, at place: SourceLocation = #_sourceLocation) async throws {
        if Engine.current == .cluster { return try await eventually(at: place) { try await condition() } }
        #expect(try await condition(), sourceLocation: place)
    }

    func version(_ path: String) async throws -> Int? { try await thing(path).version }

    /// The numbers of the answers, which tell whether they were made anew.
    func made(_ paths: String...) async throws -> [Int] {
        var numbers: [Int] = []
        for path in paths { numbers.append(try await thing(path).made) }
        return numbers
    }

    private func thing(_ path: String) async throws -> Thing { try WireJSON.decode(Thing.self, from: try await get(path).bytes) }

    private struct Thing: Codable {
        var version: Int
        var made: Int
    }
}

private func withShelf(_ body: (Shelf) async throws -> Void) async throws {
    try await withApp(change: { $0.testRoutes = true }) { app in
        // Nothing is kept until evictions are heard of, by each instance.
        for _ in app.instances {
            try await eventually { try await app.raw(.GET, "/test/things/999").headers["X-Cache"] == ["hit"] }
        }
        // The first answer that uses a shelf is not shared: nothing was known there of the shelf when it began to be made.
        for neighbour in [9, 19, 29] { _ = try await app.raw(.GET, "/test/things/\(neighbour)") }
        try await body(Shelf(app: app))
    }
}
