public import Foundation
public import MartletRedis
import MartletTestSupport
import Testing

/// A Redis server of a test's own, which may be stopped, killed and started again at the same port.
public struct PrivateRedis: Sendable {
    private let program: String
    public let port: Int
    /// Its own, which vanishes with it.
    public let folder: String

    /// Runs `body` with a server that does not run yet. Where Redis is missing, nothing runs.
    public static func with(_ body: (PrivateRedis) async throws -> Void) async throws {
        guard let program = Program.findOrWarn("redis-server") else { return }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("redis-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let server = PrivateRedis(program: program, port: Int.random(in: 20_000..<32_000), folder: folder.path)
        let outcome = await Result { try await body(server) }
        try FileManager.default.removeItem(at: folder)
        try outcome.get()
    }

    public var url: String { "redis://127.0.0.1:\(port)" }

    /// Runs `body` beside the server, which ends with it; then nothing of its data is left.
    ///
    /// - Parameter url: How to ask whether it answers.
    public func run(_ arguments: [String] = [], at url: String? = nil, endedBy signal: Int32 = SIGTERM, _ body: () async throws -> Void)
        async throws
    {
        let place = arguments.contains("--tls-port") ? "0" : "\(port)"
        let settings = ["--port", place, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"]
        try await Program.beside([program] + settings + arguments, endedBy: signal) {
            try await withRedis(url ?? self.url, .hasty) { redis in
                try await eventually("the server answers") { (try? await redis.send(["PING"])) == .bytes(Array("PONG".utf8)) }
            }
            try await body()
        }
    }

    /// The number of the server's process.
    public static func process(of redis: RedisClient) async throws -> Int32 {
        guard case .bytes(let bytes) = try await redis.send(["INFO", "server"]) else { return 0 }
        let line = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first { $0.hasPrefix("process_id:") }
        return try #require(line.flatMap { Int32($0.dropFirst("process_id:".count)) })
    }
}
