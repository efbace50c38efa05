import Foundation
import MartletApp
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletIdentity

@Suite("One's sessions", .everyDatabase) struct SeeingOnesSessions {
    @Test func areListedWithWhereTheyCameFrom() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let first = try await app.register(headers: [("User-Agent", "Mozilla/5.0 (X11; Linux) Firefox/141.0")])
            clock.advance(by: .seconds(60))
            let second = try await app.logIn("ada", Registration.password, headers: [("User-Agent", "<script>alert('x')</script>")])
            _ = try await app.token("grace")
            let sessions = try await app.sessions(try first.accessToken)
            #expect(sessions.map(\.isCurrent) == [false, true])
            #expect(sessions.map(\.device) == ["script alert( x ) /script", "Mozilla/5.0 (X11; Linux) Firefox/141.0"])
            #expect(sessions.map(\.address) == ["127.0.0.1", "127.0.0.1"])
            #expect(sessions.map(\.createdAt) == [clock.now, clock.now.addingTimeInterval(-60)])
            #expect(try await app.sessions(second.accessToken).map(\.isCurrent) == [true, false])
        }
    }

    @Test func areNotListedOnceTheyHaveEnded() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let (over, out) = (try await app.register(), try await app.logIn("ada", Registration.password))
            #expect(try await app.logOut(out.refreshToken()).status == 204)
            clock.advance(by: .seconds(30 * 86_400))
            let current = try await app.logIn("ada", Registration.password).accessToken
            #expect(try await app.refresh(over.refreshToken()).status == 401)
            #expect(try await app.sessions(current).map(\.isCurrent) == [true])
        }
    }

    @Test func endOneByOne() async throws {
        try await withApp { app in
            let (ended, current) = (try await app.register(), try await app.logIn("ada", Registration.password).accessToken)
            let id = try #require(try await app.sessions(current).first { !$0.isCurrent }).id
            #expect(try await app.endSession(id, current).status == 204)
            let token = try ended.accessToken
            try await eventually {
                let asked = try await (app.me(token), app.me(token))
                return asked.0.status == 401 && asked.1.status == 401
            }
            #expect(try await app.refresh(ended.refreshToken()).status == 401)
            #expect(try await app.me(current).status == 200)
            #expect(try await app.sessions(current).count == 1)
            #expect(try await app.endSession(id, current).problem().code == "session_not_found")
        }
    }

    @Test func areNobodyElsesToEnd() async throws {
        try await withApp { app in
            let (ada, grace) = (try await app.token("ada"), try await app.token("grace"))
            let id = try #require(try await app.sessions(ada).first).id
            let answer = try await app.endSession(id, grace)
            #expect(answer.status == 404)
            #expect(try answer.problem().code == "session_not_found")
            #expect(try await app.endSessions("?all=true", grace).status == 204)
            #expect(try await app.me(ada).status == 200)
        }
    }

    @Test(arguments: ["", "?all=false", "?all=true"])
    func endAllAtOnce(_ query: String) async throws {
        try await withApp { app in
            let others = [try await app.register(), try await app.logIn("ada", Registration.password)]
            let current = try await app.logIn("ada", Registration.password)
            #expect(try await app.endSessions(query, current.accessToken).status == 204)
            let ended = query == "?all=true" ? others + [current] : others
            try await eventually {
                for session in ended where try await app.me(session.accessToken).status != 401 { return false }
                return true
            }
            for session in ended { #expect(try await app.refresh(session.refreshToken()).status == 401) }
            #expect(try await app.me(current.accessToken).status == (query == "?all=true" ? 401 : 200))
        }
    }

    @Test func areAsManyAsTheSettingSays() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await withRunningApp(try folder.settings(["SESSIONS_PER_ACCOUNT": "2"]), folder: folder.path) { app in
            let sessions = [try await app.register(), try await app.logIn("ada", Registration.password)]
            _ = try await app.token("grace")
            let last = try await app.logIn("ada", Registration.password)
            let oldest = try sessions[0].accessToken
            try await eventually { try await app.me(oldest).status == 401 }
            #expect(try await app.refresh(sessions[0].refreshToken()).status == 401)
            #expect(try await app.refresh(sessions[1].refreshToken()).status == 200)
            #expect(try await app.sessions(last.accessToken).count == 2)
        }
    }

    @Test func areAsManyAsTheSettingSaysAlsoWhenManyLogInAtOnce() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await withRunningApp(try folder.settings(["SESSIONS_PER_ACCOUNT": "3"]), folder: folder.path) { app in
            _ = try await app.register()
            let statuses = try await manyAtOnce(12) { _ in try await app.logIn("ada", Registration.password).status }
            #expect(Set(statuses) == [200])
            let active = try await app.app.database.first(Int.self, "SELECT count(*) FROM session WHERE revoked_at IS NULL")
            #expect(active == 3)
        }
    }
}

@Suite("When a session was last seen", .everyDatabase) struct LastSeen {
    @Test func isNotedWithARefresh() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let session = try await app.register()
            clock.advance(by: .seconds(90))
            let next = try await app.refresh(session.refreshToken()).accessToken
            #expect(try await app.sessions(next).map(\.seenAt) == [clock.now])
        }
    }

    @Test func isNotedWithRequestsWithoutAWriteForEach() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let token = try await app.register().accessToken
            let began = clock.now
            clock.advance(by: .seconds(600))
            for _ in 0..<4 { #expect(try await app.me(token).status == 200) }
            #expect(try await app.sessions(token).map(\.seenAt) == [began], "Nothing is written with a request.")
            await app.flushSightings()
            let seen = try #require(try await app.sessions(token).first).seenAt
            #expect(seen > began && seen <= clock.now && clock.now.timeIntervalSince(seen) < 60)
        }
    }

    @Test func isNeverTakenBack() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let session = try await app.register()
            #expect(try await app.me(try session.accessToken).status == 200)
            clock.advance(by: .seconds(600))
            let next = try await app.refresh(session.refreshToken()).accessToken
            await app.flushSightings()
            #expect(try await app.sessions(next).map(\.seenAt) == [clock.now])
        }
    }
}

@Suite("What a program calls itself") struct NamesOfDevices {
    @Test(arguments: [
        ("", nil), (" \t ", nil), ("curl/8.5.0", "curl/8.5.0"), ("a\u{0}b\r\nc", "a b c"), ("<b>&amp;\"'`\\{}", "b amp;"),
        ("Gerät 🐦", "Ger t"),
        (String(repeating: "x", count: 500), String(repeating: "x", count: 100)),
    ])
    func isKeptAsHarmlessText(_ agent: String, _ device: String?) {
        #expect(SessionOrigin.device(agent) == device)
    }
}

extension TestApp {
    /// On all instances, as happens once a minute.
    func flushSightings() async {
        for service in instances.flatMap(\.services) { await (service as? IdentityService)?.sightings.flush() }
    }
}
