import Testing

@testable import MartletPostgres
@testable import MartletStorage

/// The bytes are those of PostgreSQL 15.
struct ArraysOfTexts {
    static let arrays: [([String], String)] = [
        ([], "000000000000000000000019"),
        (
            ["a", "", #""x",{\\}"#, "NULL", "é👋"],
            "0000000100000000000000190000000500000001000000016100000000000000082278222c7b5c5c7d000000044e554c4c00000006c3a9f09f918b"
        ),
    ]

    @Test(arguments: arrays) func textsAreSentAndReceivedInOrder(_ texts: [String], _ hex: String) throws {
        #expect(try sent(.texts(texts)) == SentParameter(oid: 1009, format: 1, bytes: bytes(hex)))
        #expect(received(hex, as: .textArray) == .texts(texts))
    }

    @Test func tenThousandTextsComeBack() throws {
        let texts = (0..<10_000).map { String(repeating: "ü", count: $0 % 7) + "\($0)" }
        let bytes = try #require(try sent(.texts(texts)).bytes)
        #expect(received(bytes, as: 1009) == .texts(texts))
    }

    @Test func arraysOfVarcharAreTextsToo() {
        #expect(received("00000001000000000000041300000001000000010000000176", as: .varcharArray) == .texts(["v"]))
    }

    @Test func theFirstIndexDoesNotMatter() {
        #expect(received("000000010000000000000019000000020000000500000001700000000171", as: .textArray) == .texts(["p", "q"]))
    }

    /// With a NULL; with two dimensions; of integers; empty with a tail.
    @Test(arguments: [
        "00000001000000010000001900000002000000010000000161ffffffff",
        "00000002000000000000001900000002000000010000000100000001" + "00000001610000000162",
        "0000000100000000000000170000000100000001" + "0000000400000001",
        "00000000000000000000001900",
    ])
    func otherArraysAreNoValue(_ hex: String) {
        #expect(received(hex, as: .textArray) == nil)
    }

    /// More elements than bytes, a negative count, a length beyond the end, a negative length, a tail.
    @Test(arguments: [
        "7fffffff00000001" + "0000000161", "ffffffff00000001" + "0000000161", "0000000100000001" + "7fffffff61",
        "0000000100000001" + "8000000061", "0000000100000001" + "000000016100",
    ])
    func lengthsAreNotBelieved(_ elements: String) {
        #expect(received("000000010000000000000019" + elements, as: .textArray) == nil)
    }
}
