import Foundation
import MartletCore
import Testing

@testable import MartletBookmarks

@Suite struct AJSONBookmark {
    @Test func isReadFromEitherNameOfAField() throws {
        let full = try read(
            #"{"url":"https://a.example","title":"A","description":"d","category":"c","tags":["x","y z"],"#
                + #""saved_at":"2026-01-31T09:30:00Z"}"#
        )
        #expect(
            full.url == "https://a.example" && full.title == "A" && full.notes == "d" && full.category == "c" && full.tags == ["x", "y z"])
        #expect(full.addedAt == Date(timeIntervalSince1970: 1_769_851_800) && full.faults.isEmpty)
        let other = try read(#"{"url":"u","notes":"n","description":"d","tags":"x, y z,,x","add_date":1456433748,"unknown":{}}"#)
        #expect(other.notes == "n" && other.tags == ["x", "y z"] && other.addedAt == Date(timeIntervalSince1970: 1_456_433_748))
        #expect(other.faults.isEmpty)
    }

    @Test func namesEveryFieldThatIsWrongAndKeepsTheOthers() throws {
        let bookmark = try read(#"{"url":"u","title":5,"notes":[],"category":{},"tags":[1],"saved_at":"soon","add_date":-1}"#)
        #expect(bookmark.url == "u")
        #expect(Set(bookmark.faults.map(\.pointer)) == ["/title", "/notes", "/category", "/tags", "/saved_at", "/add_date"])
        #expect(bookmark.faults.allSatisfy { $0.code == "wrong_type" })
    }

    @Test func takesNullForAbsent() throws {
        let bookmark = try read(#"{"url":null,"title":null,"notes":null,"category":null,"tags":null,"saved_at":null}"#)
        #expect(bookmark.url == "" && bookmark.tags.isEmpty && bookmark.faults.isEmpty)
    }

    @Test(arguments: ["5", "\"text\"", "[]", "null", "true"])
    func mustBeAnObject(_ element: String) throws {
        #expect(try read(element).faults.map(\.code) == ["not_an_object"])
    }

    private func read(_ element: String) throws -> JSONBookmark {
        let rows = try JSONDecoder().decode([JSONBookmark].self, from: Data("[\(element),{\"url\":\"next\"}]".utf8))
        #expect(rows.count == 2 && rows.last?.url == "next")
        return try #require(rows.first)
    }
}
