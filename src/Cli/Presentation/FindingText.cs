using ShmCheck.Harness.Campaigns;

namespace ShmCheck.Cli.Presentation;

/// <summary>Words for findings that all reports share.</summary>
internal static class FindingText
{
    public static string Certificate(Finding finding) =>
        finding.Certificate == Harness.Campaigns.Certificate.OneMinimal ? "1-minimal" : "none";
}
