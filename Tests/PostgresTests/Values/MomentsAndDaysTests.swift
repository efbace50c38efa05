import Foundation
import Testing

@testable import MartletPostgres
@testable import MartletStorage

struct MomentsAndDays {
    /// 2026-02-28T12:34:56.789Z, and the ends of what every engine can hold.
    static let moments: [(milliseconds: Int64, hex: String)] = [
        (1_772_282_096_789, "0002eee0599a4608"), (-62_135_596_800_000, "ff1fe2ffc59c6000"), (253_402_300_799_999, "0380e70b913b7c18"),
    ]

    @Test(arguments: moments) func momentsAreSentAndReceivedAsMicroseconds(_ milliseconds: Int64, _ hex: String) throws {
        let moment = try #require(SQLValue.moment(milliseconds: milliseconds))
        #expect(try sent(.timestamp(moment)) == SentParameter(oid: 1184, format: 1, bytes: bytes(hex)))
        #expect(received(hex, as: .timestamptz) == .timestamp(moment))
        #expect(received(hex, as: .timestamp) == .timestamp(moment))
    }

    @Test func microsecondsAreRoundedDownBefore2000Too() {
        #expect(received("ffffffffffffff9c", as: .timestamptz) == SQLValue.moment(milliseconds: 946_684_799_999).map { .timestamp($0) })
        #expect(received("00000000000003e7", as: .timestamptz) == SQLValue.moment(milliseconds: 946_684_800_000).map { .timestamp($0) })
    }

    /// The two infinities, the year 10000, the last year before Christ.
    @Test(arguments: ["7fffffffffffffff", "8000000000000000", "0380e70b913b8000", "ff1fc63d1bb12000"])
    func momentsOutsideTheYearsAreNoValue(_ hex: String) {
        #expect(received(hex, as: .timestamptz) == nil)
        #expect(received(hex, as: .timestamp) == nil)
    }

    @Test func aMomentThatCannotBeStoredIsNotSent() {
        #expect(throws: (any Error).self) { _ = try PostgresParameters([.timestamp(.distantFuture + 1e12)]) }
    }

    @Test(arguments: [("00002553", "2026-02-28"), ("fff4dbf9", "0001-01-01"), ("002c95d3", "9999-12-31"), ("00000000", "2000-01-01")])
    func daysAreTheirText(_ hex: String, _ text: String) {
        #expect(received(hex, as: .date) == .text(text))
    }

    @Test(arguments: ["7fffffff", "80000000", "002c95d4", "fff4dbf8"]) func daysOutsideTheYearsAreNoValue(_ hex: String) {
        #expect(received(hex, as: .date) == nil)
    }
}
