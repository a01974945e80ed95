using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Cli.Presentation;

/// <summary>Words for findings that all reports share.</summary>
internal static class FindingText
{
    public static string Certificate(Finding finding) =>
        CertificateText.Of(finding.Certificate);
}
