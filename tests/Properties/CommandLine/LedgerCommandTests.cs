using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.CommandLine;

/// <summary>Verifying the ledgers of all systems with one command.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class LedgerCommandTests
{
    [Fact]
    public void Each_system_gives_the_machine_back_before_the_next_one_takes_it()
    {
        var machine = new Machine();
        CommandRun run = CommandRun.On(
            [.. KnownLedgers.Systems.Select(name => new Taker(name, machine))],
            "ledger", "--verify");

        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.All(KnownLedgers.Systems, system => Assert.Contains(
            $"{system} ", run.Out, StringComparison.Ordinal));
        Assert.Null(machine.Holder);
    }

    [Fact]
    public void Systems_that_cannot_be_had_are_named_and_passed_over()
    {
        var machine = new Machine();
        CommandRun run = CommandRun.On(
            [
                .. KnownLedgers.Systems.Select(name => new Taker(
                    name, name == "linux" ? new Machine { Holder = "other" } : machine)),
            ],
            "ledger", "--verify");

        Assert.Equal(
            (1, "shmcheck: linux is not verified: other has the machine\n"),
            (run.Code, run.Error));
    }

    [Fact]
    public void It_ends_with_3_when_no_system_can_be_had()
    {
        var machine = new Machine { Holder = "other" };
        CommandRun run = CommandRun.On(
            [.. KnownLedgers.Systems.Select(name => new Taker(name, machine))],
            "ledger", "--verify");

        Assert.Equal(3, run.Code);
        Assert.EndsWith("shmcheck: other has the machine\n", run.Error, StringComparison.Ordinal);
    }

    private sealed class Machine
    {
        public string? Holder { get; set; }
    }

    /// <summary>The specification, under the name of a system that takes the machine for itself.
    /// </summary>
    private sealed class Taker(string name, Machine machine) : ISystemFactory, IDisposable
    {
        public string Name => name;

        public SystemCapabilities Capabilities
        {
            get
            {
                machine.Holder ??= name;
                return machine.Holder == name ? SpecSystem.Factory.Capabilities
                    : throw new SystemUnavailableException($"{machine.Holder} has the machine");
            }
        }

        public ISystemUnderTest Start(MachineConfig config) => SpecSystem.Factory.Start(config);

        public void Dispose() =>
            machine.Holder = machine.Holder == name ? null : machine.Holder;
    }
}
