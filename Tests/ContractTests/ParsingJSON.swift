import MartletContract
import MartletCore
import Testing

/// What RFC 8259 allows is read, and what it does not is refused with a place.
@Suite struct ParsingJSON {
    @Test(arguments: [
        "null", "true", " false\n", "0", "-0", "-0.0", "1", "1e5", "1E+5", "1e-5", "0.5", "-12.34e-56", "\"\"", "\"a\"", "[]", "{}", "[ ]",
        "{ }",
        "\t[1,\r\n2 ]", "[[],{}]", "[null,true,1,\"x\"]", "{\"a\":1}", "{\"\":0}", "{\"a\":{\"a\":[]}}", "{\"a\":1,\"b\":1}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"", "\"\\u00e9\\u00E9\"", "\"\\uD83D\\uDE00\"", "\"\u{7F}\u{2028}\u{FFFF}\u{10FFFF}\"", "9223372036854775807",
        "-9223372036854775808", "18446744073709551616", "1e400", "\"/\"", "\"\u{FEFF}\"",
    ])
    func readsWhatIsJSON(_ text: String) throws {
        _ = try parse(text)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "-", "+1", "01", "-01", "1.", ".5", "1.e1", "1e", "1e+", "0x10",
        "1_000", "1 2",
        "'a'", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u+123\"", "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1F}\"",
        "[", "]", "[1",
        "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}", "{a:1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}", "{\"a\"::1}", "{]", "[]]", "{}{}", "[] x", "// x\n1", "/* */1", "1,", "\u{FEFF}1", "\u{A0}1", "\u{0}",
        "1\u{0}",
        "\u{FF11}", "[1]\u{C}",
    ])
    func refusesWhatIsNot(_ text: String) {
        #expect(refusal(text)?.code == "invalid_json")
        #expect(refusal(text)?.kind == .malformed)
    }

    @Test(arguments: [
        "\\ud800", "\\udc00", "\\udfff", "\\ud800\\ud800", "\\ud800x", "\\ud800\\n", "\\ud800\\u0041", "\\udc00\\ud800", "\\uD83D",
        "x\\udbffx",
    ])
    func refusesHalfASurrogatePair(_ escapes: String) {
        #expect(refusal("\"\(escapes)\"")?.code == "invalid_json")
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func refusesBytesThatAreNotUTF8(_ bytes: [UInt8]) {
        #expect(refusal(Array("\"a".utf8) + bytes + Array("\"".utf8))?.code == "invalid_json")
        #expect(refusal(Array("\"\\n".utf8) + bytes + Array("\"".utf8))?.code == "invalid_json")
        #expect(refusal(Array("{\"".utf8) + bytes + Array("\":1}".utf8))?.code == "invalid_json")
        #expect(refusal(bytes)?.code == "invalid_json")
    }

    @Test func readsSixtyFourLevelsAndNoMore() throws {
        _ = try parse(nested(64, "[", "]"))
        _ = try parse(nested(64, "{\"a\":", "}", around: "1"))
        #expect(refusal(nested(65, "[", "]"))?.code == "json_too_deep")
        #expect(refusal(nested(65, "{\"a\":", "}", around: "1"))?.code == "json_too_deep")
        #expect(refusal(String(repeating: "[", count: 1_000_000))?.code == "json_too_deep")
        #expect(refusal(String(repeating: "[{\"a\":", count: 100_000))?.code == "json_too_deep")
    }

    @Test func countsLevelsNotBrackets() throws {
        let wide = "[" + Array(repeating: "[[]]", count: 1_000).joined(separator: ",") + "]"
        guard case .array(let elements) = try parse(wide) else { return #expect(Bool(false), "no array") }
        #expect(elements.count == 1_000)
    }

    @Test(arguments: ["{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":2,\"a\":3}", "[{\"x\":{\"a\":1,\"\\u0061\":2}}]"])
    func refusesANameThatIsRepeated(_ text: String) {
        #expect(refusal(text)?.code == "repeated_name")
    }

    @Test func keepsNumbersAsTheyWereWritten() throws {
        #expect(try parse("-0.10e+01") == .number("-0.10e+01"))
        #expect(try parse("12345678901234567890123") == .number("12345678901234567890123"))
        #expect(try parse(String(repeating: "9", count: 64)).integer == nil)
        #expect(refusal(String(repeating: "9", count: 65))?.code == "invalid_json")
        #expect(refusal("0." + String(repeating: "0", count: 100_000))?.code == "invalid_json")
    }

    @Test func readsEscapesAsTheCharactersTheyStandFor() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u0041\ud83d\uDE00é""#) == .string("\"\\/\u{8}\u{C}\n\r\tA😀é"))
    }

    @Test func keepsTheOrderOfMembers() throws {
        #expect(try parse(#"{"b":1,"a":[true,null],"c":"x"}"#) == ["b": 1, "a": [true, .null], "c": "x"])
    }

    @Test func refusesADocumentThatIsCutOffAtAnyByte() {
        let document = Array(#"{"url":"https://x.example/é","n":[-1.5e3,true,null,"\u00e9\ud83d\ude00"],"o":{"a":false}}"#.utf8)
        #expect(refusal(document) == nil)
        for length in 0..<document.count {
            #expect(refusal(Array(document.prefix(length)))?.kind == .malformed, "The first \(length) bytes were taken for a document.")
        }
    }

    @Test func saysAtWhichByteItStopped() {
        #expect(refusal("[1,x]")?.message.contains("at byte 3") == true)
    }

    @Test func doesNotRepeatTheDocumentInItsRefusal() {
        #expect(refusal("{\"password\": hunter2}")?.message.contains("hunter2") == false)
    }

    private func parse(_ text: String) throws -> JSON { try WireJSON.parse(text.utf8) }

    private func refusal(_ text: String) -> Failure? { refusal(Array(text.utf8)) }

    private func refusal(_ bytes: [UInt8]) -> Failure? {
        do throws(Failure) {
            _ = try WireJSON.parse(bytes)
            return nil
        } catch {
            return error
        }
    }

    private func nested(_ depth: Int, _ opening: String, _ closing: String, around core: String = "") -> String {
        String(repeating: opening, count: depth) + core + String(repeating: closing, count: depth)
    }
}
