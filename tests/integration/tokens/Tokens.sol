// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @dev An ERC-20 that anyone may mint and burn.
contract PlainToken is ERC20 {
    constructor() ERC20("Plain", "PLN") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function burn(address account, uint256 amount) external {
        _burn(account, amount);
    }
}

/// @dev An ERC-20 whose holders delegate.
contract VotesToken is ERC20, ERC20Permit, ERC20Votes {
    constructor() ERC20("Votes", "VTS") ERC20Permit("Votes") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }
}

/// @dev An ERC-721 that anyone may mint and burn.
contract Things is ERC721 {
    constructor() ERC721("Things", "THG") {}

    function mint(address account, uint256 id) external {
        _mint(account, id);
    }

    function burn(uint256 id) external {
        _burn(id);
    }
}

/// @dev Gives units without a log, and lies about a balance: what a census must notice.
contract SilentToken {
    event Transfer(address indexed from, address indexed to, uint256 value);

    mapping(address account => uint256) public balanceOf;
    uint256 public totalSupply;

    function mint(address account, uint256 amount) external {
        mintSilently(account, amount);
        emit Transfer(address(0), account, amount);
    }

    function mintSilently(address account, uint256 amount) public {
        balanceOf[account] += amount;
        totalSupply += amount;
    }

    /// @dev As old tokens burn: the units stay in the supply, as the zero address's.
    function drop(address account, uint256 amount) external {
        balanceOf[account] -= amount;
        balanceOf[address(0)] += amount;
        emit Transfer(account, address(0), amount);
    }

    function changeSilently(address account, uint256 amount) external {
        balanceOf[account] = amount;
    }
}

/// @dev Names nobody in its event's topics, and answers in Compound's older words for votes.
contract OldToken {
    event Transfer(address from, address to, uint256 value);

    mapping(address account => uint256) public balanceOf;
    mapping(address account => address) public delegates;
    mapping(address account => uint256) public getCurrentVotes;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
        emit Transfer(address(0), account, amount);
    }

    function delegate(address account) external {
        delegates[msg.sender] = account;
        getCurrentVotes[account] += balanceOf[msg.sender];
    }
}
