import Foundation
import MartletTestSupport
import Testing

@testable import MartletSupervisor

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

@Suite struct CommandingTheSupervisor {
    @Test func aCommandIsAnsweredWithItsProgressAndItsResult() async throws {
        try await withSocket { path in
            let control = try ControlSocket(path: path)
            let asked = ask("reload", at: path)
            let client = try await nextClient(of: control)
            #expect(try await nextCommand(from: client, control) == "reload")
            control.say("+ half", to: client)
            control.say("= done", to: client)
            control.hangUp(client)
            let (lines, result) = try await asked.value
            #expect(lines == ["half"])
            #expect(result == "done")
            control.remove()
        }
    }

    @Test func aRefusalIsThrown() async throws {
        try await withSocket { path in
            let control = try ControlSocket(path: path)
            let asked = ask("reload", at: path)
            let client = try await nextClient(of: control)
            _ = try await nextCommand(from: client, control)
            control.say("! not now", to: client)
            control.hangUp(client)
            await #expect(throws: SystemFailure.self) { _ = try await asked.value }
            control.remove()
        }
    }

    @Test func aSecondSupervisorIsRefusedUntilTheFirstIsGone() async throws {
        try await withSocket { path in
            let first = try ControlSocket(path: path)
            #expect(throws: SystemFailure.self) { try ControlSocket(path: path) }
            first.remove()
        }
    }

    @Test func onlyTheOwnerMayOpenIt() async throws {
        try await withSocket { path in
            let control = try ControlSocket(path: path)
            let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(permissions == 0o600)
            control.remove()
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    /// With `umask`, two that are made at once can leave files of the whole process without their permissions.
    @Test func whatOthersMakeMeanwhileIsTheirs() async throws {
        let mask = try processMask()
        try await withSocket { path in
            try await withThrowingTaskGroup { group in
                for number in 1...200 { group.addTask { try ControlSocket(path: "\(path)\(number)").remove() } }
                try await group.waitForAll()
            }
        }
        #expect(try processMask() == mask)
    }

    @Test func whereNobodyListensThatIsSaid() async throws {
        try await withSocket { path in
            await #expect(throws: SystemFailure.self) { _ = try await ask("status", at: path).value }
        }
    }

    @Test func aPathThatIsTooLongIsRefused() async throws {
        try await withSocket { path in
            #expect(throws: SystemFailure.self) { try ControlSocket(path: path + String(repeating: "x", count: 120)) }
        }
    }

    private func withSocket(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "control-\(UUID().uuidString.prefix(8))").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await body(folder + "/m.sock")
    }

    /// On a thread of its own: it blocks.
    private func ask(_ command: String, at path: String) -> Task<(lines: [String], result: String), any Error> {
        Task {
            try await withCheckedThrowingContinuation { waiter in
                Thread.detachNewThread {
                    waiter.resume(
                        with: Result {
                            var lines: [String] = []
                            let result = try ControlClient.ask(command, at: path) { lines.append($0) }
                            return (lines, result)
                        })
                }
            }
        }
    }

    private func processMask() throws -> Substring? {
        try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n").first { $0.hasPrefix("Umask:") }
    }

    private func nextClient(of control: ControlSocket) async throws -> Int32 {
        try await waitReadable(control.descriptor)
        control.accept()
        return try #require(control.clients.keys.first)
    }

    private func nextCommand(from client: Int32, _ control: ControlSocket) async throws -> String? {
        try await waitReadable(client)
        return control.command(from: client)
    }

    private func waitReadable(_ descriptor: Int32) async throws {
        try await eventually {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&waiting, 1, 0) == 1
        }
    }
}
