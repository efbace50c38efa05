import Foundation
import MartletTestSupport
import Testing

@testable import MartletSupervisor

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

@Suite struct NotingRequests {
    @Test func aRequestIsThereUntilItEnds() throws {
        let table = try InFlight()
        let note = try #require(table.begin("GET /things/{id}", id: "one"))
        #expect(table.entries().map(\.route) == ["GET /things/{id}"])
        #expect(table.entries().map(\.id) == ["one"])
        note.end()
        #expect(table.entries() == [])
    }

    @Test func longNamesAreCutOff() throws {
        let table = try InFlight()
        let note = table.begin(String(repeating: "r", count: 200), id: String(repeating: "i", count: 200))
        let entry = try #require(table.entries().first)
        #expect(entry.route == String(repeating: "r", count: 80))
        #expect(entry.id == String(repeating: "i", count: 128))
        note?.end()
    }

    @Test func moreThanThereIsRoomForAreNotNoted() throws {
        let table = try InFlight()
        let notes = (0..<1000).map { table.begin("GET /", id: "\($0)") }
        #expect(table.entries().count == InFlight.slots)
        for note in notes { note?.end() }
        #expect(table.entries() == [])
        #expect(table.begin("GET /", id: "again") != nil)
    }

    @Test func aNoteThatEndedTouchesNobodyElses() throws {
        let table = try InFlight()
        let old = try #require(table.begin("GET /old", id: "old"))
        old.end()
        let notes = (0..<InFlight.slots).map { table.begin("GET /new", id: "\($0)") }
        old.end()
        old.alsoInThisTask()
        #expect(table.entries().count == notes.count)
    }

    @Test func manyAtATimeDoNotMixUp() async throws {
        let table = try InFlight()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<2000 {
                        let note = table.begin("GET /\(task)", id: "\(task)-\(round)")
                        note?.alsoInThisTask()
                        note?.end()
                    }
                }
            }
        }
        #expect(table.entries() == [])
    }

    @Test func theTaskThatServesIsKnown() async throws {
        let table = try InFlight()
        let note = try #require(table.begin("GET /", id: "one"))
        let here = UInt64(UInt(bitPattern: currentTask()))
        let there = await Task {
            note.alsoInThisTask()
            return UInt64(UInt(bitPattern: currentTask()))
        }.value
        #expect(note.slot.isServed(by: here))
        #expect(note.slot.isServed(by: there))
        #expect(here != there)
        #expect(!note.slot.isServed(by: 1))
    }

    @Test func anotherMappingOfTheMemorySeesThem() throws {
        let memory = try InFlight.makeMemory()
        let (mine, theirs) = (try InFlight(shared: memory), try InFlight(shared: memory))
        close(memory)
        let note = try #require(mine.begin("POST /test/trap", id: "one"))
        _ = mine.begin("GET /", id: "two")
        note.slot.blame(SIGILL)
        #expect(theirs.entries().map(\.id) == ["one", "two"])
        #expect(theirs.entries().first?.isCulprit == true)
    }
}

@Suite struct RecordingCrashes {
    private func record(_ entries: [InFlight.Entry], _ end: WorkerEnd = .signalled(SIGILL)) -> CrashRecord {
        CrashRecord(time: Date(timeIntervalSince1970: 1_767_225_600.25), pid: 7, end: end, lived: .seconds(2), entries: entries)
    }

    @Test func theLineSaysWhichRequestItWas() {
        let line = record([.init(route: "POST /test/trap", id: "one", milliseconds: 3, isCulprit: true)]).line
        let request = #"{"milliseconds":3,"request_id":"one","route":"POST /test/trap"}"#
        let expected =
            #"{"in_flight":[\#(request)],"pid":7,"request":\#(request),"signal":"SIGILL","time":"2026-01-01T00:00:00.250Z","uptime_ms":2000}"#
        #expect(line == expected)
    }

    @Test func withoutACulpritAllAreTold() {
        let entries = (0..<100).map { InFlight.Entry(route: "GET /", id: "\($0)", milliseconds: 1, isCulprit: false) }
        #expect(record(entries).request == nil)
        #expect(record(entries).inFlight.count == 32)
    }

    @Test func anExitIsToldByItsStatus() {
        #expect(record([], .exited(3)).exitStatus == 3)
        #expect(record([], .exited(3)).signal == nil)
    }

    @Test(arguments: [
        (Int32(0), WorkerEnd.exited(0)), (78 << 8, .exited(78)), (SIGILL, .signalled(SIGILL)), (SIGABRT | 0x80, .signalled(SIGABRT)),
    ])
    func waitStatusesAreUnderstood(status: Int32, end: WorkerEnd) {
        #expect(WorkerEnd(waitStatus: status) == end)
    }
}
