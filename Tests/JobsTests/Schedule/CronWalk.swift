import Foundation
import MartletCore
import MartletTestSupport
import Testing

@testable import MartletJobs

/// Random expressions around changes of the clock, against a walk through every minute that knows nothing of how `Cron` works.
struct CronWalk {
    private static let changes = [
        ("Europe/Berlin", "2026-03-29T01:00"), ("Europe/Berlin", "2026-10-25T01:00"), ("America/New_York", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01T06:00"), ("Australia/Lord_Howe", "2026-10-03T15:30"), ("Australia/Lord_Howe", "2026-04-04T15:00"),
        ("Africa/Casablanca", "2026-02-15T02:00"), ("Africa/Casablanca", "2026-03-22T02:00"), ("UTC", "2026-12-31T23:00"),
        ("Pacific/Apia", "2011-12-30T10:00"), ("Africa/Cairo", "2026-04-23T22:00"), ("Asia/Almaty", "2024-02-29T18:00"),
    ]

    @Test(arguments: 0..<120) func momentsAreThoseOfAWalkThroughEveryMinute(seed: Int) throws {
        var random = SeededNumbers(seed: UInt64(seed))
        let (name, change) = Self.changes[seed % Self.changes.count]
        let expression = Expression(using: &random)
        let start = Int(try moment(change).timeIntervalSince1970) - Int.random(in: 0...2 * 1_440, using: &random) * 60
        let expected = try Clock(zone(name)).moments(of: expression, from: start, days: 5)
        var (found, now) = ([Int](), start - 1)
        while let next = try Cron(expression.text).next(after: date(now), in: zone(name)), next < date(start + 5 * 86_400) {
            now = Int(next.timeIntervalSince1970)
            found.append(now)
        }
        #expect(found == expected, "\(expression.text) in \(name)")
    }

    private func date(_ seconds: Int) -> Date { Date(timeIntervalSince1970: TimeInterval(seconds)) }
}

/// A random expression and the values of its fields, made together.
private struct Expression {
    let text: String
    private let fields: [Set<Int>]
    private let starredDays: Bool
    let isEveryHour: Bool

    init(using random: inout SeededNumbers) {
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...6]
        // Days and months are mostly left open, or hardly any moment would match.
        let parts = ranges.enumerated().map { place, range in
            Self.field(range, isOpen: place > 1 && Int.random(in: 0..<3, using: &random) > 0, using: &random)
        }
        text = parts.map(\.text).joined(separator: " ")
        fields = parts.map(\.values)
        starredDays = parts[2].text.hasPrefix("*") || parts[4].text.hasPrefix("*")
        isEveryHour = parts[1].values.count == 24
    }

    private static func field(
        _ range: ClosedRange<Int>, isOpen: Bool, using random: inout SeededNumbers
    ) -> (text: String, values: Set<Int>) {
        if isOpen { return ("*", Set(range)) }
        let step = Int.random(in: 1...range.count, using: &random)
        let ends = [Int.random(in: range, using: &random), Int.random(in: range, using: &random)].sorted()
        let several = (0..<3).map { _ in Int.random(in: range, using: &random) }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return ("*", Set(range))
        case 1: return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
        case 2: return ("\(ends[0])-\(ends[1])", Set(ends[0]...ends[1]))
        case 3: return ("\(ends[0])-\(ends[1])/\(step)", Set(stride(from: ends[0], through: ends[1], by: step)))
        default: return (several.map(String.init).joined(separator: ","), Set(several))
        }
    }

    func matches(_ local: Int) -> Bool {
        let (day, second) = local.quotientAndRemainder(flooredBy: 86_400)
        let date = CivilDate.date(onDay: day)
        let byDate = fields[2].contains(date.day)
        let byWeekday = fields[4].contains((day + 4).quotientAndRemainder(flooredBy: 7).remainder)
        return fields[0].contains(second / 60 % 60) && fields[1].contains(second / 3_600) && fields[3].contains(date.month)
            && (starredDays ? byDate && byWeekday : byDate || byWeekday)
    }
}

private struct Clock {
    private let zone: TimeZone
    private var read: Set<Int> = []

    init(_ zone: TimeZone) { self.zone = zone }

    /// Minute by minute, from two days before, so that what the clock has read already is known.
    func moments(of expression: Expression, from start: Int, days: Int) -> [Int] {
        var clock = self
        let all = stride(from: start - 2 * 86_400, to: start + days * 86_400, by: 60).filter { clock.fires(expression, at: $0) }
        return all.filter { $0 >= start }
    }

    private mutating func fires(_ expression: Expression, at moment: Int) -> Bool {
        let (local, before) = (moment + offset(moment), moment - 60 + offset(moment - 60))
        let isNew = read.insert(local).inserted
        if expression.isEveryHour { return expression.matches(local) }
        let isAfterGap = stride(from: before + 60, to: local, by: 60).contains { expression.matches($0) }
        return isAfterGap || isNew && expression.matches(local)
    }

    private func offset(_ moment: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment))) }
}
