import Foundation
import MartletContract
import MartletTestSupport
import Testing

@Suite struct TimesOnTheWire {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0.0), ("1970-01-01T00:00:00z", 0), ("1970-01-01t00:00:00Z", 0), ("1970-01-01 00:00:00Z", 0),
        ("1970-01-01T00:00:00+00:00", 0), ("1970-01-01T00:00:00-00:00", 0), ("1970-01-01T01:30:00+01:30", 0),
        ("1969-12-31T12:00:00-12:00", 0),
        ("1970-01-01T23:59:00+23:59", 0), ("1969-12-31T23:59:59Z", -1), ("1969-12-31T23:59:59.750Z", -0.25),
        ("2026-01-31T09:30:00Z", 1_769_851_800), ("2026-01-31T09:30:00.5Z", 1_769_851_800.5),
        ("2026-01-31T09:30:00.123Z", 1_769_851_800.123),
        ("2026-01-31T09:30:00.1239999Z", 1_769_851_800.123), ("2026-01-31T09:30:00.000000000000001Z", 1_769_851_800),
        ("2026-01-31T09:30:00.99999999999999Z", 1_769_851_800.999),
        ("2000-02-29T00:00:00Z", 951_782_400), ("2024-02-29T00:00:00Z", 1_709_164_800), ("2100-02-28T00:00:00Z", 4_107_456_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800), ("0001-01-01T00:00:00Z", -62_135_596_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ])
    func areReadAsRFC3339(_ text: String, _ seconds: Double) throws {
        #expect(try WireJSON.decode(Date.self, from: "\"\(text)\"".utf8) == Date(timeIntervalSince1970: seconds))
    }

    @Test(arguments: [
        "", "2026", "2026-01-31", "09:30:00Z", "2026-01-31T09:30Z", "2026-01-31T09:30:00", "2026-01-31T09:30:00 Z", "2026-1-31T09:30:00Z",
        "26-01-31T09:30:00Z", "2026-01-31T9:30:00Z", "2026-00-31T09:30:00Z", "2026-13-31T09:30:00Z", "2026-01-00T09:30:00Z",
        "2026-01-32T09:30:00Z",
        "2026-04-31T09:30:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T09:60:00Z", "2026-01-31T09:30:61Z", "2026-01-31T09:30:00.Z", "2026-01-31T09:30:00,5Z",
        "2026-01-31T09:30:00+24:00", "2026-01-31T09:30:00+01:60", "2026-01-31T09:30:00+0100", "2026-01-31T09:30:00+1:00",
        "2026-01-31T09:30:00Z ",
        " 2026-01-31T09:30:00Z", "2026-01-31T09:30:00Zx", "2026/01/31T09:30:00Z", "20260131T093000Z", "0000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "+2026-01-31T09:30:00Z", "2026-01-31T09:30:00.5", "٢٠٢٦-01-31T09:30:00Z", "1769851800",
    ])
    func areRefusedInAnyOtherForm(_ text: String) {
        #expect(throws: DecodingError.self) { try WireJSON.decode(Date.self, from: "\"\(text)\"".utf8) }
        #expect(Timestamp.date(text) == nil)
    }

    @Test(arguments: [
        (0.0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (-0.001, "1969-12-31T23:59:59.999Z"),
        (0.007, "1970-01-01T00:00:00.007Z"),
        (1_709_164_800, "2024-02-29T00:00:00Z"), (4_107_542_400, "2100-03-01T00:00:00Z"), (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (-99_999_999_999_999, "0001-01-01T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"), (1e300, "9999-12-31T23:59:59.999Z"),
    ])
    func areWrittenInUTCWithMillisecondsOnlyIfThereAreAny(_ seconds: Double, _ text: String) {
        #expect(Timestamp.text(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func areReadBackToTheMillisecond() throws {
        var random = SeededNumbers(seed: 3)
        for _ in 0..<20_000 {
            let milliseconds = Int.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random)
            let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            let back = try WireJSON.decode(Date.self, from: WireJSON.encode(date))
            #expect(abs(back.timeIntervalSince(date)) < 0.0005, "\(Timestamp.text(date)) of \(milliseconds)")
        }
    }

    @Test func areReadBackToTheMillisecondInOurTimes() throws {
        var random = SeededNumbers(seed: 4)
        for _ in 0..<20_000 {
            let milliseconds = Int.random(in: 0...4_102_444_800_000, using: &random)
            let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            #expect(try WireJSON.decode(Date.self, from: WireJSON.encode(date)) == date, "\(Timestamp.text(date)) of \(milliseconds)")
        }
    }

    @Test func agreeWithFoundationOnEveryDay() throws {
        let foundation = Date.ISO8601FormatStyle(timeZone: .gmt)
        var random = SeededNumbers(seed: 5)
        for _ in 0..<2_000 {
            let date = Date(timeIntervalSince1970: Double(Int.random(in: -12_219_292_800...253_402_300_799, using: &random)))
            #expect(Timestamp.text(date) == foundation.format(date))
            #expect(Timestamp.date(foundation.format(date)) == date)
        }
    }
}
