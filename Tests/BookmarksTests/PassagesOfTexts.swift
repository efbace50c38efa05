import Testing

@testable import MartletBookmarks

@Suite struct PassagesOfTexts {
    private func passage(_ text: String, _ words: String...) -> Passage {
        Passage(text, of: SearchedWords(words))
    }

    /// The numbers from `first` to `last` with a space between them.
    private func numbers(_ first: Int, _ last: Int) -> String {
        (first...last).map(String.init).joined(separator: " ")
    }

    @Test func aShortTextIsShownWhole() {
        #expect(passage("‹Sea› birds, mostly.", "birds").html == "‹Sea› <mark>birds</mark>, mostly.")
        #expect(passage("(Sea birds)", "fish").html == "(Sea birds)")
        #expect(passage("…", "fish").html == "…" && passage("", "fish").html == "")
    }

    @Test func onlyTheLastWordMayBeABeginning() {
        #expect(
            passage("swifts swift birds bird", "swift", "bird").html == "swifts <mark>swift</mark> <mark>birds</mark> <mark>bird</mark>")
        #expect(!passage("swifts abird", "swift", "bird").hasFinds)
    }

    @Test(arguments: [
        ("CAFÉ", "cafe"), ("Cafe\u{301}", "cafe"), ("ẛtraße", "straße"), ("ΟΔΟΣ", "οδοσ"), ("Привет", "привет"), ("İzmir", "izmir"),
        ("Ệ", "e"),
        ("ＡＢＣ", "ａｂｃ"), ("हिन्दी", "हिन्दी"), ("한국어", "한국"), ("Ⅷ", "ⅷ"), ("Å", "a"),
    ])
    func wordsAreFoundWithoutCaseAndDiacritics(_ written: String, _ folded: String) {
        #expect(passage("<\(written)>", folded).html == "&lt;<mark>\(written)</mark>&gt;")
    }

    @Test func aLongTextIsCutAroundTheWords() {
        #expect(passage(numbers(1, 100), "50").html == "…\(numbers(39, 49)) <mark>50</mark> \(numbers(51, 62))…")
        #expect(passage("(\(numbers(1, 100)))", "2x", "3").html.hasPrefix("(1 2 <mark>3</mark> 4 "))
        #expect(passage("(\(numbers(100, 199)))", "198").html == "…\(numbers(176, 197)) <mark>198</mark> 199)")
        #expect(passage(numbers(1, 24), "24").html == "\(numbers(1, 23)) <mark>24</mark>")
        #expect(passage(numbers(1, 25), "25").html == "…\(numbers(2, 24)) <mark>25</mark>")
    }

    @Test func thePlaceWithMostOfTheWordsIsShown() {
        let text = "one one one \(numbers(1000, 1030)) two one \(numbers(1031, 1060)) one two"
        let html = passage(text, "two", "one").html
        #expect(html == "…\(numbers(1020, 1030)) <mark>two</mark> <mark>one</mark> \(numbers(1031, 1041))…")
        #expect(passage(text, "one").html.hasPrefix("<mark>one</mark> <mark>one</mark> <mark>one</mark> 1000"))
    }

    @Test func whatIsShownIsEscapedScalarByScalar() {
        #expect(passage("<b>\"a&b\"</b>", "a").html == "&lt;b&gt;&quot;<mark>a</mark>&amp;b&quot;&lt;/b&gt;")
        #expect(passage("<\u{301}i>", "i").html == "&lt;\u{301}<mark>i</mark>&gt;")
    }

    @Test func wordsEndWhereAnEmojiOrASignStands() {
        #expect("❤️swift☕️birds‹x›y²=½…".words == ["swift", "birds", "x", "y²", "½"])
        #expect("a.b@c-d_e/f'g".words == ["a", "b", "c", "d", "e", "f", "g"])
        #expect("\"\u{301}swift\"".words == ["swift"])
        #expect("\u{301} \u{FE0F} \u{200D}".words == [])
    }
}
