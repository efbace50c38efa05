import Dispatch
import Foundation
import MartletTestSupport
import Testing

@testable import MartletTelemetry

@Suite("A log file")
struct LogFiles {
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "martlet-logs-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder + "/a.log")
    }

    private func text(_ path: String) -> String? { FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } }
    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    private func unzipped(_ path: String) async throws -> String {
        let outcome = try await Program.run(["gzip", "-dc", path])
        #expect(outcome.status == 0, "\(path): \(outcome.errors)")
        return outcome.output
    }

    /// Lines in files of about three each.
    private func file(_ path: String, keeps: Int = 3) throws -> LogFile {
        try LogFile(LogFilePlace(path: path, maximumBytes: 30, count: keeps))
    }

    @Test func isForItsOwnerAlone() async throws {
        try await inFolder { path in
            var file = try file(path)
            let written = file.write(Array("a line\n".utf8))
            #expect(written == 7)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(text(path) == "a line\n")
        }
    }

    @Test func isPutAwayCompressedAndOnlySoManyAreKept() async throws {
        try await inFolder { path in
            var file = try file(path)
            for number in 10..<30 { _ = file.write(Array("number \(number)\n".utf8)) }
            #expect(text(path) == "number 28\nnumber 29\n" || text(path) == "number 27\nnumber 28\nnumber 29\n")
            var kept = try await unzipped(path + ".3.gz") + unzipped(path + ".2.gz") + unzipped(path + ".1.gz")
            kept += text(path) ?? ""
            let numbers = kept.split(separator: "\n").compactMap { Int($0.dropFirst(7)) }
            #expect(numbers == Array((numbers.first ?? 0)...29) && numbers.count >= 10, "the last ones, each once: \(numbers)")
            #expect(!exists(path + ".4.gz") && !exists(path + ".1") && !exists(path + ".1.gz.part"))
        }
    }

    @Test func severalWritersLoseAndRepeatNothing() async throws {
        try await inFolder { path in
            let place = LogFilePlace(path: path, maximumBytes: 1000, count: 1000)
            // Threads, which the system interrupts anywhere, and not tasks, of which one might be done before the next begins.
            let (done, writers) = (DispatchGroup(), try (0..<4).map { _ in try LogFile(place) })
            for (writer, file) in writers.enumerated() {
                done.enter()
                Thread.detachNewThread {
                    var file = file
                    for number in 0..<300 { _ = file.write(Array("writer \(writer) line \(number)\n".utf8)) }
                    done.leave()
                }
            }
            await withCheckedContinuation { waiter in done.notify(queue: .global()) { waiter.resume() } }
            var lines = (text(path) ?? "").split(separator: "\n").map(String.init)
            for number in 1...1000 where exists("\(path).\(number).gz") {
                lines += try await unzipped("\(path).\(number).gz").split(separator: "\n").map(String.init)
            }
            #expect(lines.count == 1200 && Set(lines).count == 1200)
        }
    }

    @Test func isFoundAgainAfterItWasMovedAway() async throws {
        try await inFolder { path in
            var file = try file(path)
            _ = file.write(Array("before\n".utf8))
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            _ = file.write(Array("after\n".utf8))
            #expect(text(path + ".away") == "before\n" && text(path) == "after\n")
        }
    }

    /// What each moment of a rotation leaves behind when the process is killed there.
    @Test(arguments: [
        ["a.log.rotating": "old\n"], ["a.log.1": "old\n"], ["a.log.1": "old\n", "a.log.1.gz.part": "half"],
        ["a.log.rotating": "old\n", "a.log.1.gz": ""],
    ])
    func goesOnWhereARotationWasBrokenOff(left: [String: String]) async throws {
        try await inFolder { path in
            let folder = String(path.dropLast("/a.log".count))
            for (name, text) in left { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
            var file = try file(path)
            for number in 0..<4 { _ = file.write(Array("number \(number)\n".utf8)) }
            #expect(text(path) == "number 3\n")
            #expect(try await unzipped(path + ".1.gz") == "number 0\nnumber 1\nnumber 2\n")
            #expect(try await unzipped(path + ".2.gz") == "old\n")
            #expect(!exists(path + ".rotating") && !exists(path + ".1") && !exists(path + ".2"))
        }
    }

    @Test func aCompressedFileCountsMoreThanTheOneItWasMadeOf() async throws {
        try await inFolder { path in
            try Data("old\n".utf8).write(to: URL(filePath: path + ".1"))
            #expect(GzipFile.write(path + ".1", to: path + ".1.gz"))
            var file = try file(path)
            for number in 0..<4 { _ = file.write(Array("number \(number)\n".utf8)) }
            #expect(try await unzipped(path + ".2.gz") == "old\n")
            #expect(!exists(path + ".3.gz") && !exists(path + ".3"))
        }
    }

    @Test func compressesMoreThanOnePiece() async throws {
        try await inFolder { path in
            let text = (0..<400_000).map { "\($0)\n" }.joined()
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect(GzipFile.write(path, to: path + ".gz"))
            #expect(try await unzipped(path + ".gz") == text)
        }
    }

    @Test func thatCannotBeOpenedIsSaidAtTheStart() throws {
        #expect(throws: LogFileUnusable.self) { try LogFile(LogFilePlace(path: "/nowhere/at/all/a.log")) }
    }
}
