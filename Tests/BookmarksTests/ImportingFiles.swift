import Foundation
import MartletApp
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct ImportingFiles {
    private static let sample = bookmarkFile(
        "<DT><A HREF=\"https://a.example/\" ADD_DATE=\"1456433748\">Top</A>",
        "<DT><H3>Dev</H3>", "<DL><p>", "<DT><H3>Swift</H3>", "<DL><p>",
        "<DT><A HREF=\"https://b.example/\" ADD_DATE=\"1456433749\" TAGS=\"x,y\">Deep &amp; low</A>", "<DD>Some notes", "</DL><p>",
        "</DL><p>",
        "<DT><A HREF=\"javascript:alert(1)\">Bookmarklet</A>", "<DT><A HREF=\"https://A.example\">Top again</A>")

    @Test func foldersBecomeTheCategoryAndTagsAndDatesAreKept() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let report = try await client.importFile(Self.sample)
            #expect(report.total == 4 && report.added == 2 && report.skipped == 2 && report.updated == 0 && report.errors == 1)
            #expect(report.skipReasons.duplicate == 1 && report.skipReasons.invalidScheme == 1)
            #expect(report.errorDetails.map(\.entry) == [3] && report.errorDetails.first?.url == "javascript:alert(1)")
            let (deep, top) = try await { ($0[0], $0[1]) }(client.everything())
            #expect(deep.title.raw == "Deep & low" && deep.notes?.raw == "Some notes")
            #expect(deep.category?.raw == "Swift" && deep.tags.all.map(\.raw) == ["x", "y", "Dev"])
            #expect(deep.savedAt == Date(timeIntervalSince1970: 1_456_433_749))
            #expect(top.title.raw == "Top" && top.category == nil && top.savedAt == Date(timeIntervalSince1970: 1_456_433_748))
        }
    }

    @Test func aSecondImportAddsNothing() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            _ = try await client.importFile(Self.sample)
            let before = try await client.everything()
            let again = try await client.importFile(Self.sample)
            #expect(again.added == 0 && again.updated == 0 && again.skipReasons.duplicate == 3)
            #expect(try await client.everything() == before)
        }
    }

    @Test func aFormCarriesTheFileAsWell() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let form =
                "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.html\""
                + "\r\nContent-Type: text/html\r\n\r\n\(Self.sample)\r\n--b--\r\n"
            #expect(try await client.importFile(form, as: "multipart/form-data; boundary=b").added == 2)
            let json =
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.json\"\r\n\r\n[{\"url\":\"https://c.example\"}]\r\n--b--\r\n"
            #expect(try await client.importFile(json, as: "multipart/form-data; boundary=\"b\"").added == 1)
        }
    }

    @Test func whatIsStoredIsCompletedAndNeverOverwritten() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://b.example/", "Mine", tags: ["y", "own"])
            try await client.save("https://a.example/", "Also mine", notes: "Mine", category: "Mine")
            let report = try await client.importFile(Self.sample)
            #expect(report.updated == 1 && report.added == 0 && report.skipReasons.duplicate == 2)
            let completed = try #require(try await client.everything().first { $0.title.raw == "Mine" })
            #expect(completed.notes?.raw == "Some notes" && completed.category?.raw == "Swift")
            #expect(completed.tags.all.map(\.raw) == ["y", "own", "x", "Dev"])
            #expect(try await client.found("notes") == ["Mine"])
        }
    }

    @Test func goodRowsOfAnArrayAreTakenAndBadOnesAreListed() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let report = try await client.importJSON([
                [
                    "url": "https://a.example", "title": "A", "description": "Notes", "tags": "x, y", "category": "C",
                    "saved_at": "2020-02-29T12:00:00Z", "other": 1,
                ],
                ["url": ""], [:], 7, ["url": 7], ["url": "chrome://settings"], ["url": "/relative"], ["url": "https://a.example/#again"],
                ["url": .string("https://b.example/" + String(repeating: "x", count: 3_000))],
                ["url": "https://c.example", "title": 1, "saved_at": "never"],
            ])
            #expect(report.total == 10 && report.added == 2 && report.skipped == 8 && report.errors == 8)
            let reasons = report.skipReasons
            #expect(
                reasons.emptyUrl == 4 && reasons.invalidScheme == 1 && reasons.invalidFormat == 1 && reasons.tooLong == 1
                    && reasons.duplicate == 1)
            #expect(report.errorDetails.map(\.entry) == [2, 3, 4, 5, 6, 7, 9, 10])
            #expect(report.errorDetails.allSatisfy { !$0.reason.isEmpty && $0.url.count <= 200 })
            let saved = try #require(try await client.list(tag: "y").items.first)
            #expect(saved.title.raw == "A" && saved.notes?.raw == "Notes" && saved.category?.raw == "C")
            #expect(saved.savedAt == Timestamp.date("2020-02-29T12:00:00Z"))
        }
    }

    @Test func noMoreThanTenBadRowsAreListed() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let report = try await client.importJSON(.array(Array(repeating: ["url": "mailto:a@b.c"], count: 25)))
            #expect(report.errors == 25 && report.skipped == 25 && report.errorDetails.map(\.entry) == Array(1...10))
        }
    }

    @Test func textsThatAreTooLongAreCut() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let long = JSON.string(varied(25_000))
            let tags = JSON.array((0..<50).map { JSON.string("t\($0)") })
            #expect(
                try await client.importJSON([["url": "https://a.example", "title": long, "notes": long, "category": long, "tags": tags]])
                    .added == 1)
            let saved = try #require(try await client.everything().first)
            #expect(saved.title.raw.hasSuffix("...") && saved.tags.all.count == 20 && (saved.notes?.raw.count ?? 0) > 9_000)
        }
    }
}

@Suite(.everyDatabase) struct ImportsThatAreRefused {
    @Test(arguments: [
        ("text/html", "", 400, "body_missing"), ("text/html", "Hello.", 422, "not_a_bookmark_file"),
        ("text/html", "<html><p>Hello</html>", 422, "not_a_bookmark_file"),
        ("text/html", "%PDF-1.7\u{0}\u{1}", 422, "not_a_bookmark_file"), ("application/json", "{}", 422, "wrong_type"),
        ("application/json", "null", 422, "wrong_type"),
        ("application/json", "[{\"url\":\"https://a.example\"}", 400, "invalid_json"),
        ("application/json", "[{\"url\":\"https://a.example\"},]", 400, "invalid_json"),
        ("application/json", String(repeating: "[", count: 10_000), 400, "json_too_deep"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n<DT><A HREF=\"https://a.example\">", 400,
            "invalid_multipart"
        ),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=b", "--b--\r\n", 400, "invalid_multipart"),
        ("multipart/form-data", "--b--\r\n", 400, "invalid_multipart"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nHello\r\n--b--\r\n", 422, "not_a_bookmark_file"
        ),
        ("text/plain", "x", 415, "unsupported_media_type"), ("application/xml", "<a/>", 415, "unsupported_media_type"),
    ])
    func nameTheFaultAndStoreNothing(_ type: String, _ body: String, _ status: Int, _ code: String) async throws {
        try await withApp { app in
            let token = try await app.token()
            let answer = try await app.raw(
                .POST, "/api/v1/bookmarks/import", token: token, headers: [("Content-Type", type)], body: Array(body.utf8))
            let problem = try answer.problem()
            #expect(answer.status == status)
            let codes = [problem.code] + (problem.errors ?? []).map(\.code)
            #expect(codes.contains(code))
            #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: token).json()["total"] == 0)
        }
    }

    /// Each row is stored before the one that fails.
    @Test func areUndoneWholeWhenTheDatabaseFailsInTheMiddle() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let kept = try await client.save("https://kept.example", "Kept")
            _ = try await app.app.database.schemaTransaction { try await $0.run(script: Self.failure(in: $0.dialect)) }
            let rows = (0..<300).map {
                JSON.object([JSON.Member("url", .string($0 == 250 ? "https://a.example/boom" : "https://a.example/\($0)"))])
            }
            let problem = try await refusal {
                _ = try await client.importJSON(.array([["url": "https://kept.example", "notes": "Lost"]] + rows))
            }
            #expect(problem?.status ?? 0 >= 500)
            #expect(problem?.detail.contains("fire") == false)
            #expect(try await client.everything() == [kept])
            #expect(try await client.importJSON(.array(Array(rows.prefix(250)))).added == 250)
        }
    }

    /// What makes the database refuse one link.
    private static func failure(in dialect: SQLDialect) -> String {
        switch dialect {
        case .sqlite:
            "CREATE TRIGGER fail BEFORE INSERT ON bookmark WHEN new.url LIKE '%/boom' BEGIN SELECT RAISE(ABORT, 'The disk is on fire.'); END;"
        case .postgres:
            """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'The disk is on fire.'; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON bookmark FOR EACH ROW WHEN (new.url LIKE '%/boom') EXECUTE FUNCTION fail();
            """
        }
    }
}
