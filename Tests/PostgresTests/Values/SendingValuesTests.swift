import Foundation
import Testing

@testable import MartletPostgres
@testable import MartletStorage

struct SendingValues {
    @Test func valuesAreSentInBinaryWithTheirType() throws {
        let uuid = try #require(UUID(uuidString: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"))
        let values: [SQLValue] = [.bool(true), .bool(false), .int(-2), .double(-0.1), .bytes([0, 255]), .uuid(uuid), .json(#"{"a": 1}"#)]
        let forms: [(UInt32, String)] = [
            (16, "01"), (16, "00"), (20, "fffffffffffffffe"), (701, "bfb999999999999a"), (17, "00ff"),
            (2950, "a0eebc999c0b4ef8bb6d6bb9bd380a11"), (3802, "017b2261223a20317d"),
        ]
        #expect(try sent(values) == forms.map { SentParameter(oid: $0, format: 1, bytes: bytes($1)) })
    }

    @Test(arguments: ["", "Grüße 👋", "it's \"quoted\" \\ {}", "\u{10FFFF}", String(repeating: "long ", count: 10_000)])
    func textIsSentAsTextOfNoType(_ text: String) throws {
        #expect(try sent(.text(text)) == SentParameter(oid: 0, format: 0, bytes: Array(text.utf8)))
    }

    @Test func nullIsNoPointerAndOfNoType() throws {
        #expect(try sent(.null) == SentParameter(oid: 0, format: 0, bytes: nil))
        #expect(try sent([.null, .null]).map(\.bytes) == [nil, nil])
    }

    @Test func emptyIsNotNull() throws {
        #expect(try sent(.bytes([])) == SentParameter(oid: 17, format: 1, bytes: []))
        #expect(try sent(.text("")).bytes == [])
        #expect(try sent(.texts([])).bytes != nil)
    }

    @Test func everyValueKeepsItsPlaceAmongOthers() throws {
        let values: [SQLValue] = [
            .text("a"), .null, .int(1), .text(""), .bytes([]), .json("[]"), .texts(["x"]), .null, .decimal(7), .text("z"),
        ]
        #expect(try sent(values) == values.map { try sent($0) })
    }

    @Test func noValuesAreNoPointers() throws {
        let count = try PostgresParameters([]).withPointers { count, values, lengths, formats in
            #expect(values == nil && lengths == nil && formats == nil)
            return count
        }
        #expect(count == 0)
        #expect(PostgresParameters.none.oids.isEmpty)
    }

    @Test func whatIsSentAndReceivedInBinaryIsTheSame() throws {
        let values: [SQLValue] = [
            .bool(true), .int(.min), .int(.max), .double(.leastNonzeroMagnitude), .double(-.infinity), .bytes([1, 2, 3]), .uuid(UUID()),
            .json("{}"), .texts(["a", "b"]), .decimal(-1), .timestamp(Date(timeIntervalSince1970: 1_780_000_000.123)),
        ]
        for value in values {
            let parameter = try sent(value)
            let bytes = try #require(parameter.bytes)
            #expect(received(bytes, as: parameter.oid) == value)
        }
    }

    @Test func textThatLibpqWouldCutShortIsNotSent() {
        #expect(throws: (any Error).self) { _ = try PostgresParameters([.text("a\0b")]) }
    }

    @Test func moreValuesThanTheProtocolCanCountAreRefused() throws {
        #expect(try sent(Array(repeating: .null, count: 65_535)).count == 65_535)
        let failure = #expect(throws: SQLFailure.self) { _ = try PostgresParameters(Array(repeating: .null, count: 65_536)) }
        #expect(failure?.kind == .tooLarge)
    }

    /// One mebibyte, many times: refused before anything is copied.
    @Test func moreBytesThanTheServerTakesAreRefused() throws {
        let mebibyte = SQLValue.bytes([UInt8](repeating: 1, count: 1 << 20))
        let failure = #expect(throws: SQLFailure.self) { _ = try PostgresParameters(Array(repeating: mebibyte, count: 1024)) }
        #expect(failure?.kind == .tooLarge)
    }
}
