import Foundation
import Testing

@testable import MartletJobs

/// Clocks are put forward in Berlin on 2026-03-29 at 01:00 UTC and back on 2026-10-25 at 01:00; in New York on 2026-03-08 at 07:00 and
/// 2026-11-01 at 06:00; on Lord Howe by half an hour on 2026-10-03 at 15:30 and 2026-04-04 at 15:00; in Casablanca they go back for
/// Ramadan on 2026-02-15 at 02:00 and forward on 2026-03-22 at 02:00. Samoa had no 30 December 2011.
struct CronClockChangeTests {
    @Test(arguments: [
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("*/15 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T01:00"]),
        ("*/30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"]),
        ("0 */2 * * *", "Europe/Berlin", "2026-03-28T22:30", ["2026-03-28T23:00", "2026-03-29T01:00", "2026-03-29T02:00"]),
        ("30 2 29 3 *", "Europe/Berlin", "2026-01-01T00:00", ["2026-03-29T01:00", "2027-03-29T00:30"]),
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:30"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", ["2026-10-03T15:30", "2026-10-04T15:15"]),
        ("30 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", ["2026-10-03T15:30", "2026-10-04T15:30"]),
        ("30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00", ["2026-03-22T02:00", "2026-03-23T01:30"]),
        ("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00", ["2011-12-30T10:00", "2011-12-30T19:00"]),
    ]) func aTimeThatTheClockLeavesOutFiresOnceAfterTheGap(text: String, zone: String, after: String, moments: [String]) throws {
        try expect(text, zone, after, moments)
    }

    @Test(arguments: [
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("0 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T00:00", "2026-10-26T01:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T02:00", "2026-10-26T02:00"]),
        ("*/30 1-3 * * *", "Europe/Berlin", "2026-10-25T00:00", ["2026-10-25T00:30", "2026-10-25T02:00", "2026-10-25T02:30"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:31", ["2026-10-26T01:30"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10", ["2026-10-26T01:30"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00", ["2026-04-04T14:45", "2026-04-05T15:15"]),
        ("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00", ["2026-02-15T01:30", "2026-02-16T02:30"]),
    ]) func aTimeThatComesTwiceFiresTheFirstTime(text: String, zone: String, after: String, moments: [String]) throws {
        try expect(text, zone, after, moments)
    }

    @Test(arguments: [
        ("30 * * * *", "Europe/Berlin", "2026-03-29T00:00", ["2026-03-29T00:30", "2026-03-29T01:30"]),
        ("30 * * * *", "Europe/Berlin", "2026-10-24T23:45", ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"]),
        ("30 0-23 * * *", "Europe/Berlin", "2026-10-24T23:45", ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"]),
        ("*/20 * * * *", "America/New_York", "2026-03-08T06:30", ["2026-03-08T06:40", "2026-03-08T07:00", "2026-03-08T07:20"]),
        ("15 * * * *", "Australia/Lord_Howe", "2026-10-03T14:50", ["2026-10-03T16:15"]),
        ("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00", ["2026-04-04T14:45", "2026-04-04T15:15", "2026-04-04T16:15"]),
    ]) func whatRunsEveryHourFollowsRealTime(text: String, zone: String, after: String, moments: [String]) throws {
        try expect(text, zone, after, moments)
    }

    private func expect(_ text: String, _ name: String, _ after: String, _ moments: [String]) throws {
        let cron = try Cron(text)
        var now = try moment(after)
        for expected in moments {
            now = try #require(cron.next(after: now, in: zone(name)))
            #expect(try now == moment(expected))
        }
    }
}
