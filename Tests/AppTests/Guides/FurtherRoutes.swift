import HummingbirdCore
import Logging
import MartletApp
import MartletCore
import MartletHTTP
import MartletIdentity
import MartletService
import MartletTestKit
import MartletTestSupport
import MartletWire
import NIOPosix
import ServiceLifecycle
import Testing

extension TestApp {
    /// Serves further routes beside the app's own, at an address of their own, while `body` runs.
    func serving(
        _ routes: [Route], limits: WireLimits = WireLimits(), _ body: (_ baseURL: String) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = try HTTPServer.service(
            try pipeline(with: routes), at: .address(host: "127.0.0.1", port: 0), limits: limits, tls: nil, draining: Draining(),
            reloads: Reloads(), eventLoops: MultiThreadedEventLoopGroup.singleton, logger: .silent
        ) { bound in port.yield(bound) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { port.finish() }
                // Cancelled below: how it ends then is no one's concern.
                try? await server.run()
            }
            let bound = try #require(await ports.first { _ in true })
            defer { group.cancelAll() }
            try await body("http://127.0.0.1:\(bound)")
        }
    }

    private func pipeline(with routes: [Route]) throws -> Pipeline {
        let identity = try #require(app.services.lazy.compactMap { $0 as? IdentityService }.first)
        return Pipeline(
            routes: app.services.flatMap(\.routes) + routes, authenticator: identity.authenticator, policy: HTTPPolicy(),
            deadlines: Deadlines(), logger: .silent)
    }
}
