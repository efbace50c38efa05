import Testing

@testable import MartletBookmarks

@Suite struct AShortenedTitle {
    @Test func keepsWhatFits() {
        let title = String(repeating: "x", count: 200)
        #expect(Title.shortened(title) == title)
        #expect(Title.shortened("") == "")
    }

    @Test func isCutAt197WhenThereIsNoSpaceLateEnough() {
        #expect(Title.shortened(String(repeating: "x", count: 201)) == String(repeating: "x", count: 197) + "...")
        let earlySpace = String(repeating: "x", count: 150) + " " + String(repeating: "y", count: 100)
        #expect(Title.shortened(earlySpace) == earlySpace.prefix(197) + "...")
    }

    @Test func isCutAtTheLastSpaceBeyond150() {
        let title = String(repeating: "x", count: 151) + " " + String(repeating: "y", count: 100)
        #expect(Title.shortened(title) == String(repeating: "x", count: 151) + "...")
    }

    @Test func isOneLineWithoutControlCharacters() {
        #expect(Title.shortened("  a\r\n\tb\u{0}c\u{7}  \u{A0} d \u{85}") == "a bc d")
    }

    @Test func countsCharactersAsReadersDo() {
        let family = "👨‍👩‍👧‍👦"
        #expect(Title.shortened(String(repeating: family, count: 100)).count == 100)
        #expect(Title.shortened(String(repeating: "é", count: 201)).count == 200)
    }

    @Test func isBoundedEvenInOneEndlessCharacter() {
        #expect(Title.shortened("e" + String(repeating: "\u{301}", count: 100_000)).unicodeScalars.count <= 2_049)
    }
}
