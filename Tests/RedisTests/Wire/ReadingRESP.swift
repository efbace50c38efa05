import MartletTestSupport
import NIOCore
import Testing

@testable import MartletRedis

@Suite struct ReadingRESP {
    static let table: [(String, [RESPItem])] = [
        ("+OK\r\n", [.reply(.text("OK"))]), ("+\r\n", [.reply(.text(""))]),
        ("-ERR no such thing\r\n", [.reply(.error(RedisError(code: "ERR", message: "no such thing")))]),
        ("-ERR\r\n", [.reply(.error(RedisError(code: "ERR", message: "")))]),
        (":-9223372036854775808\r\n", [.reply(.integer(.min))]), (":+7\r\n", [.reply(.integer(7))]),
        ("$5\r\na\r\nbc\r\n", [.reply(.text("a\r\nbc"))]), ("$0\r\n\r\n", [.reply(.text(""))]), ("$-1\r\n", [.reply(.null)]),
        ("*-1\r\n", [.reply(.null)]), ("_\r\n", [.reply(.null)]), ("#t\r\n#f\r\n", [.reply(.boolean(true)), .reply(.boolean(false))]),
        (",1.25\r\n,-3e2\r\n,inf\r\n,-inf\r\n", [1.25, -300, .infinity, -.infinity].map { .reply(.double($0)) }),
        ("(-3492890328409238509324850943850943825024385\r\n", [.reply(.text("-3492890328409238509324850943850943825024385"))]),
        ("!9\r\nSYNTAX no\r\n", [.reply(.error(RedisError(code: "SYNTAX", message: "no")))]),
        ("=7\r\ntxt:abc\r\n", [.reply(.text("abc"))]),
        ("*3\r\n:1\r\n*2\r\n+a\r\n_\r\n*0\r\n", [.reply(.array([.integer(1), .array([.text("a"), .null]), .array([])]))]),
        ("~2\r\n:1\r\n:2\r\n", [.reply(.array([.integer(1), .integer(2)]))]),
        ("%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n", [.reply(.map([.text("a"): .integer(1), .text("b"): .array([.integer(2)])]))]),
        ("%0\r\n", [.reply(.map([:]))]),
        ("|1\r\n+ttl\r\n:9\r\n:5\r\n", [.reply(.integer(5))]), ("|0\r\n:5\r\n", [.reply(.integer(5))]),
        ("*2\r\n|1\r\n+ttl\r\n*1\r\n:1\r\n:5\r\n:6\r\n", [.reply(.array([.integer(5), .integer(6)]))]),
        (">2\r\n+message\r\n$1\r\nx\r\n:1\r\n", [.push([.text("message"), .text("x")]), .reply(.integer(1))]),
        ("*2\r\n-ERR x\r\n:1\r\n", [.reply(.array([.error(RedisError(code: "ERR", message: "x")), .integer(1)]))]),
    ]

    @Test(arguments: table) func everyTypeIsReadAndEverySplitGivesTheSame(text: String, items: [RESPItem]) throws {
        let bytes = Array(text.utf8)
        for split in 0...bytes.count { #expect(try Self.read([Array(bytes[..<split]), Array(bytes[split...])]) == items) }
        #expect(try Self.read(bytes.map { [$0] }) == items)
    }

    private static let faults: [(String, RESPFault)] = [
        ("x\r\n", .unknownType(UInt8(ascii: "x"))), ("+a\n", .malformedLine), ("\r\n", .malformedLine), ("\n", .malformedLine),
        (":\r\n", .malformedNumber), (":1a\r\n", .malformedNumber), (":9223372036854775808\r\n", .malformedNumber),
        (": 1\r\n", .malformedNumber), ("$-2\r\n", .malformedNumber), ("$x\r\n", .malformedNumber), ("*-2\r\n", .malformedNumber),
        ("%9223372036854775807\r\n", .tooLong), ("$1\r\nabc", .malformedLine), ("#x\r\n", .malformedLine), ("_x\r\n", .malformedLine),
        (",1.2.3\r\n", .malformedNumber), (",0x10\r\n", .malformedNumber), ("(12a\r\n", .malformedNumber), ("=2\r\nab\r\n", .malformedLine),
        ("$?\r\n", .streamed), ("*?\r\n", .streamed), (";3\r\n", .streamed), (".\r\n", .streamed), ("*1\r\n>1\r\n", .malformedLine),
        ("$101\r\n", .tooLong), (String(repeating: "a", count: 51), .tooLong),
        (String(repeating: "*1\r\n", count: 9), .tooDeep), ("*200\r\n" + String(repeating: ":1\r\n", count: 40), .tooLong),
    ]

    @Test(arguments: faults) func whatIsNotRESPIsAFault(text: String, fault: RESPFault) {
        let limits = RESPParser.Limits(depth: 8, bytes: 100, line: 50)
        #expect(throws: fault) { try Self.read([Array(text.utf8)], limits) }
        #expect(throws: fault) { try Self.read(text.utf8.map { [$0] }, limits) }
    }

    @Test func aDeclaredCountReservesNothing() throws {
        #expect(try Self.read([Array("*9223372036854775807\r\n:1\r\n%4611686018427387903\r\n".utf8)]).isEmpty)
        #expect(try Self.read([Array("$536870912\r\n".utf8)]).isEmpty)
    }

    @Test func thirtyTwoArraysWithinOneAnotherAreRead() throws {
        #expect(try Self.read([Array((String(repeating: "*1\r\n", count: 32) + ":1\r\n").utf8)]).count == 1)
    }

    @Test(arguments: 0..<40) func noBytesTrap(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        for _ in 0..<200 {
            var bytes = Array((Self.table.randomElement(using: &numbers)?.0 ?? "").utf8)
            bytes += Array((Self.table.randomElement(using: &numbers)?.0 ?? "").utf8)
            for _ in 0...Int.random(in: 0..<4, using: &numbers) {
                bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = Self.byte(&numbers)
            }
            Self.readsTheSameInPieces(bytes, &numbers)
        }
        for _ in 0..<200 {
            Self.readsTheSameInPieces((0..<Int.random(in: 0..<60, using: &numbers)).map { _ in Self.byte(&numbers) }, &numbers)
        }
    }

    private static func byte(_ numbers: inout SeededNumbers) -> UInt8 {
        let likely = Array("+-:$*%~|>!=(,#_;.?0123456789-\r\n\r\n".utf8)
        return Bool.random(using: &numbers) ? likely.randomElement(using: &numbers) ?? 0 : UInt8.random(in: .min ... .max, using: &numbers)
    }

    private static func readsTheSameInPieces(_ bytes: [UInt8], _ numbers: inout SeededNumbers) {
        let limits = RESPParser.Limits(depth: 4, bytes: 200, line: 60)
        let split = Int.random(in: 0...bytes.count, using: &numbers)
        let whole = outcome([bytes], limits)
        // No number that is none equals itself.
        if case .success(let items) = whole, items != items { return }
        #expect(outcome([Array(bytes[..<split]), Array(bytes[split...])], limits) == whole)
    }

    private static func outcome(_ pieces: [[UInt8]], _ limits: RESPParser.Limits) -> Result<[RESPItem], RESPFault> {
        Result { () throws(RESPFault) in try read(pieces, limits) }
    }

    static func read(_ pieces: [[UInt8]], _ limits: RESPParser.Limits = .init()) throws(RESPFault) -> [RESPItem] {
        var parser = RESPParser(limits: limits)
        var items: [RESPItem] = []
        for piece in pieces {
            parser.append(ByteBuffer(bytes: piece))
            while let item = try parser.next() { items.append(item) }
        }
        return items
    }
}

@Suite struct WritingCommands {
    @Test func areArraysOfBulkStrings() {
        let bytes = RESPEncoder.encode([["SET", "k\r\n", 7], [""]])
        #expect(String(buffer: bytes) == "*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$1\r\n7\r\n*1\r\n$0\r\n\r\n")
    }

    @Test func scriptsAreKnownByTheirSHA1() {
        #expect(RedisScript("return 1").digest == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
    }
}
