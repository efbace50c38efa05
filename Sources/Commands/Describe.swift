import ArgumentParser
import Foundation
import HTTPTypes
import MartletApp
import MartletContract
import MartletSettings

struct Routes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List every endpoint: method, path, who may call, what it does.")

    func run() async throws {
        let rows = App.operations.map { named in
            [named.operation.method.rawValue, named.operation.path.path, named.operation.access.inWords, named.operation.summary]
        }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            Output.line(
                zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ") + "  " + row[3])
        }
    }
}

struct OpenAPICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "openapi", abstract: "Print the OpenAPI description.")

    func run() async throws {
        print(App.openAPI, terminator: "")
    }
}

struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "settings", abstract: "Print the documentation of all settings.")

    @Flag(help: "As the file docs/configuration.md.") var markdown = false
    @Flag(help: "As the file .env.example.") var env = false

    func run() async throws {
        print(env ? Settings.exampleEnvironment() : Settings.document(), terminator: "")
    }
}

struct PermissionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permissions", abstract: "Print who may call which endpoint: docs/permissions.md.")

    func run() async throws {
        print(PermissionTable.document, terminator: "")
    }
}
