import Foundation
import MartletSettings
import Testing

@Suite struct DocumentsOfSettings {
    @Test func theCommittedOnesAreTheGeneratedOnes() throws {
        #expect(try committed("docs/configuration.md") == Settings.document())
        #expect(try committed(".env.example") == Settings.exampleEnvironment())
    }

    @Test func everyDeclarationIsFoundWithNameGroupAndText() {
        let declared = Settings.declaration
        #expect(declared.prefix(2).map(\.name) == ["MARTLET_CONFIG", "ENVIRONMENT"])
        #expect(Set(declared.map(\.name)).count == declared.count)
        #expect(Set(declared.map(\.flag)).count == declared.count)
        #expect(declared.allSatisfy { !$0.group.isEmpty && !$0.type.isEmpty && $0.description.hasSuffix(".") })
        #expect(
            declared.filter(\.isSecret).map(\.name) == [
                "SECRET_KEY", "PREVIOUS_SECRET_KEYS", "JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEYS", "AUTH_ISSUERS", "METRICS_TOKEN",
                "OTEL_EXPORTER_OTLP_HEADERS",
            ])
    }

    @Test func aCopyOfTheExampleLoadsAlsoWithEveryLineUncommented() throws {
        let example = Settings.exampleEnvironment()
        #expect(try WorkFolder([".env": example]).faults().isEmpty)
        let uncommented = example.replacing(/^# ([A-Z0-9_]+=)/.anchorsMatchLineEndings()) { String($0.output.1) }
        #expect(uncommented != example)
        let settings = try WorkFolder([".env": uncommented]).load()
        #expect(settings.lines.first { $0.name == "PORT" }?.origin == .environmentFile)
    }

    @Test func theDocumentNamesEverySettingOnce() {
        for declared in Settings.declaration {
            #expect(Settings.document().components(separatedBy: "| `\(declared.name)` |").count == 2)
        }
    }

    private func committed(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
