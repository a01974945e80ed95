using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>What becomes of a system whose program is not installed.</summary>
public sealed class CarrierTests
{
    private static readonly Carrier Absent = Carrier.GVisor with
    {
        Name = "absent",
        Command = ["no-such-program"],
        Package = "the-package",
    };

    [Fact]
    public void A_program_that_is_not_installed_is_missed_with_the_command_that_installs_it()
    {
        var problem = Assert.Throws<SystemUnavailableException>(
            () => Absent.CommandLine(AgentBinary.DefaultCache));
        Assert.Equal(
            "there is no 'no-such-program' on the path: "
            + "apt-get install --no-install-recommends the-package",
            problem.Message);
    }

    [Fact]
    public void A_compiler_that_is_not_installed_is_missed_likewise()
    {
        var carrier = Absent with
        {
            Command = ["sh"],
            Build = new AgentBuild("no-such-compiler", IsStatic: true, "the-compiler"),
        };
        Assert.Equal(
            "apt-get install --no-install-recommends the-compiler", carrier.Lack?.Remedy);
    }

    [Fact]
    public void What_cannot_run_is_listed_with_what_mends_it()
    {
        foreach (SystemStatus status in SystemSurvey.Look())
        {
            Assert.True(status.CanRun || !status.Lacks.IsEmpty, status.Name);
            Assert.All(status.Lacks, lack => Assert.NotEmpty(lack.Remedy));
        }
    }
}
