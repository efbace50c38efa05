import MartletContract
import MartletCore
import MartletTestKit
import NIOHTTP1
import Testing

@Suite("Input that means harm, or makes no sense", .everyDatabase)
struct HostileInput {
    @Test(arguments: [
        ("limit=-1", "limit", "too_small"), ("limit=0", "limit", "too_small"), ("limit=201", "limit", "too_large"),
        ("limit=1000000000", "limit", "too_large"), ("limit=99999999999999999999999999", "limit", "out_of_range"),
        ("limit=9223372036854775808", "limit", "out_of_range"), ("limit=-9223372036854775809", "limit", "out_of_range"),
        ("limit=abc", "limit", "wrong_type"), ("limit=", "limit", "wrong_type"), ("limit=1e400", "limit", "wrong_type"),
        ("limit=NaN", "limit", "wrong_type"), ("limit=0x10", "limit", "wrong_type"), ("limit=1&limit=2", "limit", "repeated"),
        ("cursor=forged", "cursor", "invalid_cursor"), ("cursor=AAAA", "cursor", "invalid_cursor"),
        ("cursor=a%3D%3D", "cursor", "invalid_cursor"),
        ("cursor=%27%3B--", "cursor", "invalid_cursor"), ("cursor=", "cursor", "empty"), ("category=%00", "category", "nul_character"),
        ("q=%01", "q", "control_character"), ("q=", "q", "empty"), ("Limit=1", "Limit", "unknown_parameter"),
        ("limit%5B%5D=1", "limit[]", "unknown_parameter"), ("=1", "", "unknown_parameter"),
    ])
    func inAQueryIsNamed(query: String, parameter: String, code: String) async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /api/v1/bookmarks?\(query)", ["Authorization: Bearer \(try await app.token())"])
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map { [$0.pointer, $0.code] } == [[parameter, code]])
        }
    }

    @Test(arguments: [
        "99999999999999999999.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "-9223372036854775808.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "1.2.3",
        "1.not-an-identifier", ".", "1.", "1e3.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291",
    ])
    func asACursorOfTheRightLookIsNamed(content: String) async throws {
        try await withApp { app in
            let cursor = Base64URL.encode(Array(content.utf8))
            let answer = try await app.raw(.GET, "/api/v1/bookmarks?cursor=\(cursor)", token: try await app.token())
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["cursor"])
        }
    }

    @Test(arguments: [
        ("/api/v1/bookmarks?q=%zz", "invalid_query"), ("/api/v1/bookmarks?q=%", "invalid_query"),
        ("/api/v1/bookmarks?q=%ff", "invalid_query"),
        ("/api/v1/bookmarks?q=%c0%80", "invalid_query"), ("/api/v1/bookmarks?%e0%80=1", "invalid_query"), ("/api/v1/%zz", "invalid_path"),
        ("/api/v1/bookmarks/%ff", "invalid_path"), ("/%", "invalid_path"),
    ])
    func inAPercentEncodingIsNamed(target: String, code: String) async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET \(target)", ["Authorization: Bearer \(try await app.token())"])
            #expect(answer.status == 400)
            #expect(try answer.problem().code == code)
        }
    }

    @Test(arguments: [
        Body(deep: "[", "]"), Body(deep: "{\"a\":", "}"),
        Body("{\"url\":\"https://a.example\",\"url\":\"https://b.example\"}", "repeated_name"),
        Body("{\"url\":\"https://a.example\",\"title\":\"\\ud800\"}", "invalid_json"), Body("{\"url\":\"\u{1}\"}", "invalid_json"),
        Body("", "body_missing"), Body([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D], "invalid_json"), Body([0], "invalid_json"),
        Body(Array("{\"url\":\"".utf8) + [0xC0, 0x80] + Array("\"}".utf8), "invalid_json"),
        Body("{\"url\":1\(String(repeating: "0", count: 100))}", "invalid_json"),
    ])
    func inAJSONBodyIsNamed(body: Body) async throws {
        try await withApp { app in
            let answer = try await app.exchange("POST /api/v1/bookmarks", try await fields(app, body.bytes.count), body: body.bytes)
            #expect(answer.status == 400)
            #expect(try answer.problem().code == body.code)
        }
    }

    @Test func inTheDepthOfAnImportIsNamed() async throws {
        try await withApp { app in
            for body in [Body(deep: "[", "]"), Body(deep: "[{\"url\":", "}]")] {
                let answer = try await app.exchange(
                    "POST /api/v1/bookmarks/import", try await fields(app, body.bytes.count, "b\(body.bytes.count)"), body: body.bytes)
                #expect(answer.status == 400)
                #expect(try answer.problem().code == "json_too_deep")
            }
        }
    }

    @Test func inANumberIsNamed() async throws {
        try await withApp { app in
            for number in ["1e999", "-1e999", "1e-999", "123456789012345678901234567890", "-0"] {
                let body = Array("{\"url\":\(number)}".utf8)
                let answer = try await app.exchange(
                    "POST /api/v1/bookmarks", try await fields(app, body.count, "n\(body.count)\(number.utf8.first ?? 0)"), body: body)
                #expect(answer.status == 422, "\(number)")
                #expect(try answer.problem().errors?.map(\.pointer) == ["/url"], "\(number)")
            }
        }
    }

    @Test func inNULsIsNamed() async throws {
        try await withApp { app in
            let body = Array(#"{"url":"https://a.example/\u0000","title":"a\u0000b","tags":["c","\u0000"],"notes":"\u0000"}"#.utf8)
            let answer = try await app.exchange("POST /api/v1/bookmarks", try await fields(app, body.count), body: body)
            #expect(answer.status == 422)
            #expect(Set(try answer.problem().errors?.map(\.pointer) ?? []) == ["/url", "/title", "/tags/1", "/notes"])
        }
    }

    @Test func inThousandsOfUnknownFieldsIsListedOnlySoFar() async throws {
        try await withApp { app in
            let members = (0..<20_000).map { "\"\(String(repeating: "x", count: 20))\($0)\":1" }.joined(separator: ",")
            let body = Array("{\(members)}".utf8)
            let answer = try await app.exchange("POST /api/v1/bookmarks", try await fields(app, body.count), body: body)
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.count ?? 0 <= 101)
            #expect(answer.body.count < 100_000)
        }
    }

    struct Body: Sendable, CustomTestStringConvertible {
        let bytes: [UInt8]
        let code: String
        var testDescription: String { "\(bytes.count) bytes, \(code)" }

        init(_ bytes: [UInt8], _ code: String) { (self.bytes, self.code) = (bytes, code) }
        init(_ text: String, _ code: String) { self.init(Array(text.utf8), code) }

        /// 10,000 levels.
        init(deep opening: String, _ closing: String) {
            self.init(String(repeating: opening, count: 10_000) + "1" + String(repeating: closing, count: 10_000), "json_too_deep")
        }
    }

    private func fields(_ app: TestApp, _ length: Int, _ name: String = "ada") async throws -> [String] {
        ["Authorization: Bearer \(try await app.token(name))", "Content-Type: application/json", "Content-Length: \(length)"]
    }
}
