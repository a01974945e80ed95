using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Results;
using ShmCheck.PlantedFaults;

namespace ShmCheck.Properties.Checking;

/// <summary>Page frames are compared with what the specification derives.</summary>
public sealed class FrameTests
{
    [Theory]
    [InlineData(FrameField.Present, 3)]
    [InlineData(FrameField.Mapcount, 3)]
    [InlineData(FrameField.Huge, 3)]
    [InlineData(FrameField.SwapBacked, 3)]
    [InlineData(FrameField.SwapCache, 3)]
    public void A_wrong_figure_of_frames_is_found_and_shrunk(FrameField field, int calls)
    {
        CampaignReport report = Campaign.Run(
            new FaultyFactory(() => new FramesAreMiscounted(field)),
            new CampaignOptions { Seed = 2, Steps = 2_000, Length = 60 });
        Assert.All(report.Findings, finding =>
            Assert.Equal(field.ToString(), Assert.Single(finding.Fingerprint.Fields)));
        Assert.Equal(calls, report.Findings.Min(finding => finding.Calls.Length));
    }

    [Fact]
    public void A_system_that_shows_no_frames_is_said_to_show_none()
    {
        SystemCapabilities shown = new FaultyFactory().Capabilities;
        Assert.Empty(HiddenFieldResult.Of(shown));
        Assert.Equal(
            ["Frame.Huge", "Frame.Mapcount", "Frame.Present", "Frame.SwapBacked",
                "Frame.SwapCache"],
            HiddenFieldResult.Of(shown with { ShowsFrames = false }).Select(f => f.Field));
    }
}
