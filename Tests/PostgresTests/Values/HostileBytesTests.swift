import Foundation
import MartletTestSupport
import Testing

@testable import MartletPostgres
@testable import MartletStorage

/// A broken or hostile server costs a value, never the process.
struct HostileBytes {
    /// A whole value of each type whose length follows from its type or from its own bytes.
    static let whole: [(PostgresType, String)] = [
        (.bool, "01"), (.char, "61"), (.int2, "0001"), (.int4, "00000001"), (.int8, "0000000000000001"), (.oid, "00000001"),
        (.xid, "00000001"), (.float4, "3fc00000"), (.float8, "bfb999999999999a"), (.date, "00002553"),
        (.timestamp, "0002eee0599a4608"), (.timestamptz, "0002eee0599a4608"), (.uuid, "a0eebc999c0b4ef8bb6d6bb9bd380a11"),
        (.numeric, "0003000100000004000109291a85"), (.textArray, "000000010000000000000019000000020000000500000001700000000171"),
        (.varcharArray, "00000001000000000000041300000001000000010000000176"),
    ]

    @Test(arguments: whole) func aValueThatIsCutOrHasATailIsNoValue(_ type: PostgresType, _ hex: String) {
        let whole = bytes(hex)
        #expect(received(whole, as: type.rawValue) != nil)
        for length in whole.indices { #expect(received(Array(whole[..<length]), as: type.rawValue) == nil, "\(length) bytes") }
        #expect(received(whole + [0], as: type.rawValue) == nil)
    }

    @Test func chanceBytesOfEveryTypeNeverEndTheProcess() {
        var chance = SeededNumbers(seed: 2)
        let types = PostgresType.allCases
        for index in 0..<100_000 {
            let bytes = (0..<Int.random(in: 0...48, using: &chance)).map { _ in Self.byte(&chance) }
            let type = types[index % types.count]
            #expect(received(bytes, as: type.rawValue) != .null || type == .void)
        }
    }

    @Test func wholeValuesWithChanceChangesNeverEndTheProcess() {
        var chance = SeededNumbers(seed: 3)
        for index in 0..<100_000 {
            let (type, hex) = Self.whole[index % Self.whole.count]
            var changed = bytes(hex)
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                changed[Int.random(in: changed.indices, using: &chance)] = Self.byte(&chance)
            }
            #expect(received(changed, as: type.rawValue) != .null)
        }
    }

    /// Small and extreme ones are commoner: they are the lengths and counts that do harm.
    private static func byte(_ chance: inout SeededNumbers) -> UInt8 {
        switch Int.random(in: 0..<4, using: &chance) {
        case 0: UInt8.random(in: 0...4, using: &chance)
        case 1: [0, 0x7f, 0x80, 0xff][Int.random(in: 0..<4, using: &chance)]
        default: UInt8.random(in: 0...255, using: &chance)
        }
    }
}
