using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>What becomes of a system whose program is not installed.</summary>
public sealed class CarrierTests
{
    private const long CarriersMemory = 128 << 20;

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

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    [InlineData(CarriersMemory - 1, false)]
    [InlineData(CarriersMemory, true)]
    public void Nothing_is_mapped_that_is_too_long_with_the_memory_of_the_carrier(
        long bytesBelow, bool asked)
    {
        const ulong memory = 4ul << 30;
        SystemCapabilities kernel = SpecSystem.Factory.Capabilities with
        {
            Adapt = _ => new MachineConfig { Frames = memory / 8192, SwapSlots = memory / 8192 },
        };
        SystemCapabilities within = AgentCapabilities.Within(
            kernel, new Announcement(),
            Absent with { Command = ["true"], ForeignMemory = "for this test" });
        ulong length = (ulong)((long)memory - bytesBelow);
        var map = new MMap(
            ProcessHandle.First, AddressRef.Null, length, Protection.PROT_READ, MapFlags.None,
            new MappingHandle(1));
        var remap = new MRemap(
            ProcessHandle.First, AddressRef.Window(0), 4096, length, MRemapFlags.MREMAP_MAYMOVE,
            AddressRef.Null, new MappingHandle(1));

        Assert.Equal((asked, asked), (within.CanBeAsked(map), within.CanBeAsked(remap)));
        Assert.True(kernel.CanBeAsked(map));
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
