import Foundation
import Logging
import MartletApp
import MartletSettings

/// Martlet with a catalogue beside its services, for benchmarks; see kept.py. Configured as `martlet serve` is.
@main
enum Catalog {
    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        let settings = try Settings.load(environment: environment, arguments: [], folder: FileManager.default.currentDirectoryPath)
        App.prepareProcess(for: settings)
        var logger = Logger(label: "martlet.catalog")
        logger.logLevel = .error
        let app = try await App(settings, logger: logger) { [CatalogService(database: $0)] }
        try await app.prepare()
        try await app.run()
    }
}
