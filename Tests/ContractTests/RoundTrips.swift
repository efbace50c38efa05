import Foundation
import MartletContract
import MartletTestSupport
import Testing

@Suite struct ValuesOnTheWire {
    struct Numbers: Codable, Equatable {
        var small: Int8
        var byte: UInt8
        var half: Int16
        var word: Int32
        var long: Int64
        var whole: Int
        var ratio: Double
        var single: Float
    }

    @Test(arguments: [
        Numbers(
            small: .min, byte: .min, half: .min, word: .min, long: .min, whole: .min, ratio: -.greatestFiniteMagnitude,
            single: -.greatestFiniteMagnitude),
        Numbers(
            small: .max, byte: .max, half: .max, word: .max, long: .max, whole: .max, ratio: .greatestFiniteMagnitude,
            single: .leastNonzeroMagnitude),
        Numbers(small: 0, byte: 0, half: -1, word: 1, long: 0, whole: 0, ratio: 0.1 + 0.2, single: 0.1),
    ])
    func areReadBackAsTheyWere(_ numbers: Numbers) throws {
        #expect(try roundTrip(numbers) == numbers)
    }

    @Test(arguments: [
        0.0, 0.1, -0.5, 1e15, 1e16, 123_456_789_012_345_680, 9_007_199_254_740_993, .leastNonzeroMagnitude, .leastNormalMagnitude, .pi,
        1e-7, 1e21, 1e308,
    ])
    func keepEveryBitOfADouble(_ value: Double) throws {
        #expect(try roundTrip([value, -value]) == [value, -value])
    }

    @Test func keepRandomDoubles() throws {
        var random = SeededNumbers(seed: 1)
        for _ in 0..<5_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(try roundTrip([value]) == [value])
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func cannotBeNumbersThatAreNotFinite(_ value: Double) {
        #expect(throws: EncodingError.self) { try WireJSON.encode([value]) }
    }

    @Test(arguments: ["128", "-129", "1.5", "1e400", "\"1\"", "true", "null", "9223372036854775808"])
    func areNotSqueezedIntoTooSmallAType(_ text: String) {
        #expect(throws: DecodingError.self) { try WireJSON.decode(Int8.self, from: text.utf8) }
    }

    @Test(arguments: ["9223372036854775808", "-9223372036854775809", "1e19", "0.5", "99999999999999999999999999", "9007199254740993.0"])
    func areNotRoundedToAWholeNumber(_ text: String) {
        #expect(throws: DecodingError.self) { try WireJSON.decode(Int.self, from: text.utf8) }
    }

    @Test func countWholeNumbersWrittenAsFractions() throws {
        #expect(try WireJSON.decode([Int].self, from: "[1.0, 1e2, -0, 20e-1]".utf8) == [1, 100, 0, 2])
    }

    @Test(arguments: [
        "", "plain", "\"quoted\\\"", "a/b", "\u{0}\u{1}\u{1F}\u{7F}", "\n\r\t\u{8}\u{C}", "é e\u{301} 😀 👩‍👩‍👧", "\u{2028}\u{2029}",
        "\u{FEFF}\u{FFFF}\u{10FFFF}",
        "</script>", "日本語 العربية",
    ])
    func keepEveryScalarOfAText(_ text: String) throws {
        guard case .object(let members) = try roundTrip(JSON.object([JSON.Member(text, .string(text))])) else {
            return #expect(Bool(false), "no object")
        }
        #expect(members.map { Array($0.name.unicodeScalars) } == [Array(text.unicodeScalars)])
        #expect(members.compactMap(\.value.text).map { Array($0.unicodeScalars) } == [Array(text.unicodeScalars)])
    }

    @Test func keepRandomTexts() throws {
        var random = SeededNumbers(seed: 2)
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) { text.append(scalar) }
            }
            let back = try roundTrip([String(text)])
            #expect(Array(back[0].unicodeScalars) == Array(text))
        }
    }

    struct Names: Codable, Equatable {
        var plain = 1
        var createdAt = 2
        var xSmall = 3
        var missing: String?
    }

    @Test func haveSnakeCaseNamesAndLeaveOutWhatIsAbsent() throws {
        #expect(String(decoding: try WireJSON.encode(Names()), as: UTF8.self) == #"{"plain":1,"created_at":2,"x_small":3}"#)
        #expect(try WireJSON.decode(Names.self, from: #"{"x_small":3,"created_at":2,"plain":1,"missing":null}"#.utf8) == Names())
        #expect(throws: DecodingError.self) { try WireJSON.decode(Names.self, from: #"{"plain":1,"createdAt":2,"x_small":3}"#.utf8) }
    }

    struct Tree: Codable, Equatable {
        var name: String
        var children: [Tree] = []
        var grid: [[Int?]] = []
    }

    @Test func mayContainThemselves() throws {
        let tree = Tree(name: "a", children: [Tree(name: "b", children: [Tree(name: "c")]), Tree(name: "d")], grid: [[], [1, nil, 3]])
        #expect(try roundTrip(tree) == tree)
    }

    @Test func areEscapedOnlyWhereTheyMustBe() throws {
        #expect(String(decoding: try WireJSON.encode("/é😀<\"\\\u{1}\n"), as: UTF8.self) == #""/é😀<\"\\\u0001\n""#)
    }

    private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
        try WireJSON.decode(Value.self, from: WireJSON.encode(value))
    }
}
