import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import MartletTestSupport
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import MartletWire

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Listeners that accept from one socket, as workers do.
@Suite struct SharingASocket {
    @Test func whoeverIsThereServesAndOneThatRetiresLeavesTheRestToOthers() async throws {
        let socket = try SharedSocket()
        let first = try RunningListener(named: "first", on: socket)
        await first.isRunning()
        #expect(try await socket.ask() == "first")
        let second = try RunningListener(named: "second", on: socket)
        await second.isRunning()
        first.draining.retire()
        try await first.ended()
        for _ in 0..<5 { #expect(try await socket.ask() == "second") }
        second.draining.retire()
        try await second.ended()
    }

    @Test func connectionsThatWaitOutliveTheListenerThatDidNotAcceptThem() async throws {
        let socket = try SharedSocket()
        let first = try RunningListener(named: "first", on: socket)
        await first.isRunning()
        first.draining.retire()
        try await first.ended()
        let waiting = try await socket.connect()
        try await waiting.send(SharedSocket.request)
        let second = try RunningListener(named: "second", on: socket)
        #expect(await waiting.readToEnd().hasSuffix("second"))
        second.draining.retire()
        try await second.ended()
    }

    @Test func aConnectionThatIsOpenAtTheRetirementIsStillAnswered() async throws {
        let socket = try SharedSocket()
        let listener = try RunningListener(named: "old", on: socket)
        await listener.isRunning()
        let open = try await socket.connect()
        try await open.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = await open.read { $0.hasSuffix("old") }
        listener.draining.retire()
        try await open.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
        let text = await open.readToEnd()
        #expect(text.lowercased().contains("connection: close"))
        #expect(text.hasSuffix("old"))
        try await listener.ended()
    }

    @Test func noMoreConnectionsAreAcceptedThanTheCapAllows() async throws {
        let socket = try SharedSocket()
        let listener = try RunningListener(named: "small", on: socket) { $0.maxConnections = 1 }
        await listener.isRunning()
        let first = try await socket.connect()
        try await first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = await first.read { $0.hasSuffix("small") }
        let second = try await socket.connect()
        try await second.send(SharedSocket.request)
        #expect(await second.read(within: 0.3) { !$0.isEmpty } == nil)
        try await first.send(SharedSocket.request)
        #expect(await first.readToEnd().hasSuffix("small"))
        #expect(await second.readToEnd().hasSuffix("small"))
        listener.draining.retire()
        try await listener.ended()
    }
}

/// The end of a listener of one's own.
@Suite struct StoppingListeners {
    @Test func anIdleConnectionIsClosedAndOneJustOpenedMaySendItsRequest() async throws {
        let listener = try RunningListener(named: "only", on: nil) { $0.firstRequestGrace = .seconds(600) }
        let port = await listener.isRunning()
        var (used, fresh): ([RawClient], [RawClient]) = ([], [])
        for _ in 0..<8 {
            let client = try await RawClient(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = await client.read { $0.hasSuffix("only") }
            used.append(client)
            fresh.append(try await RawClient(port: port))
        }
        // All are accepted: another connection behind them is.
        let behind = try await RawClient(port: port)
        try await behind.send(SharedSocket.request)
        _ = await behind.readToEnd()
        await listener.stop()
        for client in used { #expect(await client.readToEnd() == "") }
        for client in fresh {
            try await client.send(SharedSocket.request)
            #expect(await client.readToEnd().hasSuffix("only"))
        }
        try await listener.ended()
    }
}

@Suite(.enabled(if: Program.areInstalled("curl", "openssl"))) struct ReloadingCertificates {
    @Test func newConnectionsAreShownTheNewOneAndABrokenOneIsRefused() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reload-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tls = WireTLS(
            certificateChainFile: folder.appending(path: "certificate.pem").path, privateKeyFile: folder.appending(path: "key.pem").path)
        try await make("one", tls)
        let listener = try RunningListener(named: "secure", on: nil, tls: tls)
        let port = await listener.isRunning()
        #expect(try await subject(port) == "one")
        try await make("two", tls)
        #expect(try await subject(port) == "one")
        #expect(listener.reloads.run().isEmpty)
        #expect(try await subject(port) == "two")
        try "no certificate".write(toFile: tls.certificateChainFile, atomically: true, encoding: .utf8)
        #expect(listener.reloads.run().map(\.what) == ["certificate"])
        #expect(try await subject(port) == "two")
        await listener.stop()
        try await listener.ended()
    }

    private func make(_ name: String, _ tls: WireTLS) async throws {
        try await Program.runSuccessfully([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-keyout", tls.privateKeyFile, "-out", tls.certificateChainFile,
        ])
    }

    /// Whose certificate is shown.
    private func subject(_ port: Int) async throws -> String? {
        let output = try await Program.run(["curl", "-skv", "--max-time", "20", "https://127.0.0.1:\(port)/"]).errors
        return output.split(separator: "\n").first { $0.contains("subject:") }?.split(separator: "=").last.map(String.init)
    }
}

@Suite struct ReadingThingsAnew {
    @Test func oneThatFailsKeepsNoneOfTheOthersFromIt() {
        struct Broken: Error {}
        let (reloads, done) = (Reloads(), Draining())
        reloads.add("levels") { throw Broken() }
        reloads.add("files") { done.begin() }
        #expect(reloads.run().map(\.what) == ["levels"])
        #expect(done.isDraining)
    }
}

/// A socket that listens, of which each listener gets a descriptor of its own.
private struct SharedSocket {
    static let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    let descriptor: Int32
    let port: Int

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let bound = withUnsafePointer(to: address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 128) == 0)
        self.descriptor = descriptor
        port = SharedAcceptor.port(of: descriptor)
    }

    func connect() async throws -> RawClient { try await RawClient(port: port) }

    /// Who answers a connection.
    func ask() async throws -> String? {
        let client = try await connect()
        try await client.send(Self.request)
        return await client.readToEnd().components(separatedBy: "\r\n\r\n").last
    }
}

/// A listener whose answers are its name.
private struct RunningListener {
    let draining = Draining()
    let reloads = Reloads()
    private let ports: AsyncStream<Int>
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    init(
        named name: String, on socket: SharedSocket?, tls: WireTLS? = nil, limits change: (inout WireLimits) -> Void = { _ in }
    ) throws {
        var limits = WireLimits()
        change(&limits)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let place = socket.map { ListeningPlace.inherited(descriptor: dup($0.descriptor)) } ?? .address(host: "127.0.0.1", port: 0)
        let service = try WireConfiguration(limits: limits, tls: tls, render: { _ in ([:], ByteBuffer()) }).listener(
            at: place, draining: draining, reloads: reloads, eventLoops: MultiThreadedEventLoopGroup.singleton, logger: .silent,
            responder: { _, writer, _ in
                let head = HTTPResponse(status: .ok, headerFields: [.contentLength: "\(name.utf8.count)"])
                var body = try await writer.writeHead(head)
                try await body.write(ByteBuffer(string: name))
                try await body.finish(nil)
            },
            onRunning: { port.yield($0) })
        let configuration = ServiceGroupConfiguration.ServiceConfiguration(
            service: service, successTerminationBehavior: .gracefullyShutdownGroup)
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [configuration], logger: .silent))
        (self.ports, self.group) = (ports, group)
        running = Task { try await group.run() }
    }

    @discardableResult
    func isRunning() async -> Int { await ports.first { _ in true } ?? 0 }

    func stop() async { await group.triggerGracefulShutdown() }

    func ended() async throws { try await running.value }
}
