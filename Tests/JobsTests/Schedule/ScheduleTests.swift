import Foundation
import MartletJobs
import Testing

struct ScheduleTests {
    private static let hourly = [Schedule.Missed.once, .skip, .each(atMost: 3)].flatMap { missed in
        [Schedule.cron("@hourly", missed: missed), .every(.seconds(3_600), missed: missed)]
    }

    @Test(arguments: hourly) func oneThatIsSeenForTheFirstTimeFiresNothingAndLooksAtTheNextMoment(schedule: Schedule) throws {
        let due = schedule.due(since: nil, now: try moment("2026-01-01T12:00"))
        #expect(try due.firings == [] && due.next == moment("2026-01-01T13:00"))
    }

    @Test(arguments: hourly) func aMomentThatComesFiresOnce(schedule: Schedule) throws {
        let (last, now) = (try moment("2026-01-01T12:00"), try moment("2026-01-01T13:00"))
        #expect(schedule.due(since: last, now: now - 0.001).firings == [])
        #expect(schedule.due(since: last, now: now).firings == [now])
        #expect(schedule.due(since: now, now: now).firings == [])
        #expect(try schedule.due(since: last, now: now).next == moment("2026-01-01T14:00"))
    }

    @Test(arguments: hourly) func aClockThatWasPutBackFiresNothingAgain(schedule: Schedule) throws {
        let due = schedule.due(since: try moment("2026-01-01T13:00"), now: try moment("2026-01-01T11:30"))
        #expect(try due.firings == [] && due.next == moment("2026-01-01T14:00"))
    }

    @Test(arguments: [
        (Schedule.Missed.once, ["2026-12-31T12:00"]),
        (.skip, []),
        (.each(atMost: 3), ["2026-12-31T10:00", "2026-12-31T11:00", "2026-12-31T12:00"]),
    ]) func aYearThatWasMissedIsMadeUpForAsTold(missed: Schedule.Missed, firings: [String]) throws {
        for schedule in [Schedule.cron("@hourly", missed: missed), .every(.seconds(3_600), missed: missed)] {
            let due = schedule.due(since: try moment("2026-01-01T00:00"), now: try moment("2026-12-31T12:30"))
            #expect(try due.firings == firings.map(moment))
            #expect(try due.next == moment("2026-12-31T13:00"))
        }
    }

    @Test func eachFiresNoMoreThanWereMissed() throws {
        let schedule = Schedule.cron("*/20 * * * *", missed: .each(atMost: 1_000))
        let due = schedule.due(since: try moment("2026-01-01T00:20"), now: try moment("2026-01-01T01:10"))
        #expect(try due.firings == ["2026-01-01T00:40", "2026-01-01T01:00"].map(moment))
    }

    @Test(arguments: [(60, 1), (60.001, 0), (0, 1)]) func aFiringIsSkippedWhenItIsLaterThanTheGrace(late: Double, count: Int) throws {
        for schedule in [Schedule.cron("@hourly", missed: .skip), .every(.seconds(3_600), missed: .skip)] {
            let due = schedule.due(since: try moment("2026-01-01T09:30"), now: try moment("2026-01-01T12:00") + late)
            #expect(due.firings.count == count)
        }
    }

    @Test func theGraceCanBeAnother() throws {
        let schedule = Schedule.every(.seconds(10), missed: .skip)
        let due = schedule.due(since: try moment("2026-01-01T00:00"), now: try moment("2026-01-01T12:00"), grace: .seconds(20))
        #expect(try due.firings == ["2026-01-01T11:59:40", "2026-01-01T11:59:50", "2026-01-01T12:00"].map(moment))
    }

    @Test func aDecadeOfMinutesIsAsLittleWorkAsADay() throws {
        let now = try moment("2026-01-01T00:00")
        let due = Schedule.cron("* * * * *", in: "Europe/Berlin").due(since: try moment("2016-01-01T00:00"), now: now)
        #expect(due.firings == [now])
        let all = Schedule.cron("* 3 * * *", missed: .each(atMost: 1_000)).due(since: .distantPast, now: now)
        #expect(all.firings.count == 1_000 && all.firings == all.firings.sorted())
        #expect(try all.firings.last == moment("2025-12-31T03:59"))
    }

    @Test(arguments: [(1_500, "2026-01-01T00:00:00", 1.5), (7_000, "1969-12-31T23:59:58", 2), (86_400_000, "2026-01-01T12:00", 43_200)])
    func periodsCountFromTheEpochInWholeMilliseconds(milliseconds: Int, now: String, wait: Double) throws {
        let schedule = Schedule.every(.milliseconds(milliseconds))
        #expect(try schedule.due(since: nil, now: moment(now)).next == moment(now) + wait)
    }

    @Test func whatNeverComesIsLookedAtInTheDistantFuture() throws {
        #expect(Schedule.cron("0 0 30 2 *").due(since: nil, now: try moment("2026-01-01T00:00")).next == .distantFuture)
        for now in [Double.nan, .infinity, -1e300] {
            #expect(Schedule.every(.seconds(60)).due(since: nil, now: Date(timeIntervalSince1970: now)).next == .distantFuture)
        }
    }

    @Test(arguments: [
        ("61 * * * *", "UTC", "minute"), ("@daily", "Europe/Entenhausen", "no time zone “Europe/Entenhausen”"),
        ("@daily", "", "no time zone"),
    ]) func whatIsWrongFromOutsideIsSaid(text: String, zone: String, words: String) {
        #expect { try Schedule(cron: text, in: zone) } throws: { "\($0)".contains(words) }
    }

    @Test func mistakesOfTheProgramStopIt() async {
        await #expect(processExitsWith: .failure) { _ = Schedule.cron("61 * * * *") }
        await #expect(processExitsWith: .failure) { _ = Schedule.cron("@daily", in: "Nowhere") }
        await #expect(processExitsWith: .failure) { _ = Schedule.every(.milliseconds(999)) }
        await #expect(processExitsWith: .failure) { _ = Schedule.every(.seconds(60), missed: .each(atMost: 0)) }
    }
}
